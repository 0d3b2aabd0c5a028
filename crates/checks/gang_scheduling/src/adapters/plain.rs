//! The plain scheduler: the control. What it does to a gang is what a gang scheduler must not do.

use super::{Adapter, Can, Gang, Wanted};
use crate::acts::template::Template;
use aiconform_check::cx::{Detection, Stop};
use aiconform_cluster::Api;
use aiconform_model::Kind;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

pub struct Plain;

impl Adapter for Plain {
    fn id(&self) -> &str {
        "plain"
    }

    fn control(&self) -> bool {
        true
    }

    fn detect<'a>(&'a self, _api: &'a Api) -> BoxFuture<'a, Result<Detection, Stop>> {
        async { Ok(Detection::Present(json!({"scheduler": "default-scheduler"}))) }.boxed()
    }

    fn can(&self, _facts: &Value) -> Vec<Can> {
        vec![Can::HoldBack]
    }

    fn gang(&self, wanted: &Wanted, template: &Template) -> Result<Gang, Stop> {
        let members =
            (0..wanted.size).map(|number| (Kind::pod(), template.member(&wanted.name, number))).collect();
        Ok(Gang { group: Vec::new(), members, derived: Vec::new() })
    }

    fn single(&self, name: &str, template: &Template) -> Result<(Kind, Value), Stop> {
        Ok((Kind::pod(), template.single(name)))
    }
}

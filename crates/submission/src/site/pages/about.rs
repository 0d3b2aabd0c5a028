//! Page on how the site is made, and what its words mean.

use super::{Frame, KINDS, parts};
use crate::Origin;
use crate::site::data::{AppliedRule, Programme};
use crate::site::marks::Mark;
use askama::Template;

#[derive(Template)]
#[template(path = "site/about.html")]
pub struct About<'a> {
    frame: Frame<'a>,
    marks: &'static [Mark],
    kinds: &'static [Mark],
    rules: &'a [AppliedRule],
    not_checked: &'a [String],
}

pub fn page(programme: &Programme) -> About<'_> {
    About {
        frame: Frame::new(programme, "How this site is made", "", false),
        kinds: KINDS,
        marks: &Mark::ALL[KINDS.len()..],
        rules: &programme.rules,
        not_checked: &programme.not_checked,
    }
}

//! Images that a node cannot pull: there is no use in waiting for a pod until the limit then.

use aiconform_model::Object;
use serde_json::Value;
use std::collections::BTreeMap;

/// After so many failures nothing more is hoped for. A kubelet tries again after 10 s, and then after twice as long each
/// time (Kubernetes, "Images": `ImagePullBackOff`), so that what lasts a moment is over by then.
const TRIES: u32 = 2;

/// Counts, in what is watched of pods, how often pulling an image failed.
#[derive(Debug, Default)]
pub struct Pulls {
    /// By pod and container: whether it was last seen failing (and not waiting for the next try), and how often it began to.
    seen: BTreeMap<(String, String), (bool, u32)>,
}

impl Pulls {
    /// Looks at pods; says which image cannot be pulled and what the kubelet says to it, once it has failed too often.
    pub fn refused(&mut self, pods: &[Object]) -> Option<String> {
        for pod in pods {
            for status in statuses(pod) {
                let waiting = status.pointer("/state/waiting");
                let text = |key: &str| waiting.and_then(|it| it.get(key)?.as_str()).unwrap_or_default();
                let container = status["name"].as_str().unwrap_or_default();
                let (failing, times) =
                    self.seen.entry((pod.name().to_owned(), container.to_owned())).or_default();
                let fails = text("reason") == "ErrImagePull";
                *times += u32::from(fails && !*failing);
                *failing = fails;
                // These two are not tried again with another end.
                let is_final = ["InvalidImageName", "ErrImageNeverPull"].contains(&text("reason"));
                if is_final || (fails && *times >= TRIES) {
                    let image = status["image"].as_str().unwrap_or_default();
                    let tried = if is_final { String::new() } else { format!(", tried {times} times") };
                    return Some(format!(
                        "the image {image} of the pod {} cannot be pulled{tried}: {}: {}",
                        pod.name(),
                        text("reason"),
                        text("message")
                    ));
                }
            }
        }
        None
    }
}

fn statuses(pod: &Object) -> impl Iterator<Item = &Value> {
    let lists = ["initContainerStatuses", "containerStatuses"];
    lists.into_iter().filter_map(|list| pod.at("/status")?.get(list)?.as_array()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(reason: &str) -> Object {
        let waiting = json!({"reason": reason, "message": "connection refused"});
        let status = json!({"name": "probe", "image": "a/b:1", "state": {"waiting": waiting}});
        Object(json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}}))
    }

    #[test]
    fn a_failure_that_comes_again_is_believed_and_one_that_is_seen_twice_is_one() {
        let mut pulls = Pulls::default();
        for reason in ["ContainerCreating", "ErrImagePull", "ErrImagePull", "ImagePullBackOff"] {
            assert_eq!(pulls.refused(&[pod(reason)]), None, "{reason}");
        }
        let said = pulls.refused(&[pod("ErrImagePull")]).unwrap();
        for word in ["a/b:1", "tried 2 times", "connection refused"] {
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_not_tried_again() {
        assert!(Pulls::default().refused(&[pod("InvalidImageName")]).unwrap().contains("InvalidImageName"));
        assert_eq!(Pulls::default().refused(&[Object(json!({"metadata": {"name": "p"}}))]), None);
    }
}

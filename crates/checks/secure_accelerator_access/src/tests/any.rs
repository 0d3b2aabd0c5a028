//! Whatever containers see, and whatever of it is lost.

use super::hand::*;
use aiconform_model::EventKind;
use aiconform_verdict::{Standing, Verdict};
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever containers see and whatever is lost: no claim but the one about the API is met without the control, and
    /// whoever reaches a device that it has not is never passed over.
    #[test]
    fn nothing_is_met_without_its_control_and_no_leak_is_passed(
        seed in proptest::collection::vec((0_usize..6, 0_u32..3, 0_usize..5), 0..5),
        keep in proptest::collection::vec(proptest::bool::weighted(0.97), 160),
        lose: bool,
    ) {
        const WHO: [(&str, &str); 6] = [("plain", "probe"), ("asks", "all"), ("holder-0", "beside"),
            ("holder-1", "first"), ("holder-0", "probe"), ("holder-1", "probe")];
        let errnos = [OPENED, EPERM, ENXIO, EACCES, EMFILE];
        // Of one device a container sees one thing, the last that is said.
        let seed: BTreeMap<(usize, u32), usize> =
            seed.into_iter().map(|(who, minor, errno)| ((who, minor), errno)).collect();
        let placed = seed.clone();
        let sees = move |at: &At<'_>, sees: &mut Sees| {
            for ((who, minor), errno) in &placed {
                if (at.pod, at.container) == WHO[*who] {
                    add(sees, *minor, errnos[*errno]);
                }
            }
        };
        let change = move |kinds: &mut Vec<EventKind>| {
            if lose {
                let mut keep = keep.iter().copied().cycle();
                kinds.retain(|kind| matches!(kind, EventKind::SubjectStarted { .. }) || keep.next() == Some(true));
            }
        };
        let judged = Run { sees: Box::new(sees), change: Box::new(change), ..Run::default() }.judged();
        let subject = &judged.subjects[0];
        if !subject.outcome("granted_opens").is_some_and(|outcome| outcome.is_met()) {
            for claim in &subject.claims {
                prop_assert!(!matches!(claim.standing, Standing::Must { .. }) || claim.outcome.word() == "unknown", "{}", claim.id);
            }
            prop_assert_ne!(judged.verdict, Verdict::Passed);
        }
        let leaks = |((who, _), errno): (&(usize, u32), &usize)| *who < 4 && matches!(errno, 0 | 2);
        if seed.iter().any(leaks) && !lose {
            prop_assert_ne!(judged.verdict, Verdict::Passed);
        }
    }
}

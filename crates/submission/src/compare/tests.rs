use super::*;

fn item(state: State) -> Item {
    Item {
        state,
        word: format!("{state:?}"),
        why: "because".into(),
        counts: true,
        fault: false,
        seconds: None,
    }
}

fn side(release: &str, items: &[(&str, State)]) -> Side {
    let items = items.iter().map(|(name, state)| ((*name).to_owned(), item(*state))).collect();
    Side { title: release.into(), release: release.into(), items }
}

fn kinds(before: &[(&str, State)], after: &[(&str, State)]) -> (Vec<Kind>, bool) {
    let comparison = compare(&side("1.36", before), &side("1.36", after));
    (comparison.changes.iter().map(|change| change.kind).collect(), comparison.regression())
}

#[test]
fn every_change_has_its_kind_and_only_a_loss_is_a_regression() {
    use State::{Bad, Good, Partly, Skipped, Unknown};
    let one = |old, new| {
        let (kinds, regression) = kinds(&[("gang_scheduling", old)], &[("gang_scheduling", new)]);
        (kinds.first().copied(), regression)
    };
    assert_eq!(one(Good, Good), (None, false));
    assert_eq!(one(Good, Bad), (Some(Kind::Worse), true));
    assert_eq!(one(Good, Partly), (Some(Kind::Worse), true));
    assert_eq!(one(Good, Unknown), (Some(Kind::Worse), true));
    assert_eq!(one(Good, Skipped), (Some(Kind::NewlySkipped), true));
    assert_eq!(one(Bad, Skipped), (Some(Kind::NewlySkipped), true));
    assert_eq!(one(Bad, Good), (Some(Kind::Better), false));
    assert_eq!(one(Skipped, Good), (Some(Kind::Better), false));
    assert_eq!(one(Skipped, Bad), (Some(Kind::Worse), true));
    assert_eq!(kinds(&[("gang_scheduling", Good)], &[]), (vec![Kind::NewlySkipped], true));
    assert_eq!(kinds(&[], &[("gang_scheduling", Good)]), (vec![Kind::New], false));
}

#[test]
fn a_proof_that_is_lost_is_a_regression_and_a_failure_that_is_not_seen_is_not_better() {
    use State::{Bad, Good, NotApplicable, Skipped, Unknown};
    let one = |old, new| {
        let (kinds, regression) = kinds(&[("gang_scheduling", old)], &[("gang_scheduling", new)]);
        (kinds.first().copied(), regression)
    };
    assert_eq!(one(NotApplicable, Unknown), (Some(Kind::Worse), true));
    assert_eq!(one(NotApplicable, Bad), (Some(Kind::Worse), true));
    assert_eq!(one(NotApplicable, Skipped), (Some(Kind::NewlySkipped), true));
    assert_eq!(one(Good, NotApplicable), (Some(Kind::NewlySkipped), true));
    assert_eq!(one(Bad, NotApplicable), (Some(Kind::NewlySkipped), true));
    assert_eq!(one(NotApplicable, NotApplicable), (None, false));
    assert_eq!(one(NotApplicable, Good), (Some(Kind::Better), false));
    assert_eq!(one(Skipped, NotApplicable), (Some(Kind::Better), false));
    assert_eq!(kinds(&[("gang_scheduling", NotApplicable)], &[]), (vec![Kind::NewlySkipped], true));
    assert_eq!(one(Bad, Unknown), (Some(Kind::Changed), false));
    assert_eq!(one(Skipped, Unknown), (Some(Kind::New), false));
}

#[test]
fn nothing_foreign_is_obeyed_by_a_terminal() {
    let hostile = "\u{1b}[2J\u{202e}x\r";
    let mut before = side("1.37", &[(hostile, State::Good)]);
    let mut after = side("1.37", &[(hostile, State::Bad)]);
    for side in [&mut before, &mut after] {
        side.title = hostile.into();
        side.items.values_mut().for_each(|item| (item.word, item.why) = (hostile.into(), hostile.into()));
    }
    let shown = text(&compare(&before, &after));
    let obeyed = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!shown.contains(obeyed), "{shown:?}");
    assert_eq!(shown.matches("u{1b}").count(), 6, "{shown:?}");
}

const PRODUCT_FILE: &str = "metadata:\n  kubernetesVersion: v1.37\nspec:\n  schedulingOrchestration:\n    - id: gang_scheduling\n      level: MUST\n      status: \"Implemented\"\n      evidence: [a.md]\n";

#[test]
fn each_error_of_a_review_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap();
    let with = |evidence: &str| {
        let text = PRODUCT_FILE.replace("a.md", evidence);
        std::fs::write(path.join(PRODUCT), text).unwrap();
        submission(path, &Given::default()).unwrap()
    };
    let (one, two) = (with("a.md"), with("a.md, b.md"));
    assert!(!compare(&one, &one).regression());
    let worse = compare(&one, &two);
    assert!(worse.regression() && worse.changes[0].why.contains("b.md"), "{worse:?}");
}

#[test]
fn what_cannot_be_read_is_not_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap();
    let refused = |text: &str, words: &str| {
        std::fs::write(path.join(PRODUCT), text).unwrap();
        let why = submission(path, &Given::default()).unwrap_err();
        assert!(why.contains(words), "{why}");
    };
    refused("a: [", "cannot be read");
    refused("metadata:\n  kubernetesVersion: v9.99\n", "no checklist");
    refused("metadata:\n  kubernetesVersion: v1.37\n", "answers no requirement");
    std::fs::write(path.join("AIConformance-1.37.yaml"), "a: [").unwrap();
    std::fs::write(path.join(PRODUCT), PRODUCT_FILE).unwrap();
    let given = Given { templates: Some(path.to_owned()), ..Given::default() };
    let why = submission(path, &given).unwrap_err();
    assert!(why.contains("the checklist of its release cannot be read"), "{why}");
}

#[test]
fn a_fault_that_is_new_is_a_regression_and_one_that_is_gone_is_better() {
    let faulty = || {
        let mut faulty = side("1.37", &[("review: known_keys", State::Bad)]);
        faulty.items.values_mut().for_each(|item| item.fault = true);
        faulty
    };
    let none = side("1.37", &[]);
    let (new, gone) = (compare(&none, &faulty()), compare(&faulty(), &none));
    assert_eq!((new.changes[0].kind, new.regression()), (Kind::Worse, true));
    assert_eq!((gone.changes[0].kind, gone.regression()), (Kind::Better, false));
}

#[test]
fn what_another_release_does_not_ask_is_no_loss() {
    let before = side("1.35", &[("dra_support", State::Good), ("dra_support/main/served", State::Good)]);
    let comparison = compare(&before, &side("1.37", &[]));
    assert!(!comparison.regression());
    assert!(comparison.changes.iter().all(|change| change.kind == Kind::NotAsked), "{comparison:?}");
}

#[test]
fn slower_is_told_and_no_regression() {
    let timed = |seconds: f64| {
        let mut side = side("1.37", &[("gang_scheduling", State::Good)]);
        side.items.values_mut().for_each(|item| item.seconds = Some(seconds));
        side
    };
    assert_eq!(compare(&timed(20.0), &timed(29.0)).changes, []);
    assert_eq!(compare(&timed(2.0), &timed(9.0)).changes, []);
    let slower = compare(&timed(20.0), &timed(40.0));
    assert_eq!((slower.changes[0].kind, slower.regression()), (Kind::Slower, false));
    assert!(
        text(&slower).contains("slower: gang_scheduling: Good in 20 s -> Good in 40 s"),
        "{}",
        text(&slower)
    );
}

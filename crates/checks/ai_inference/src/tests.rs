//! The judge on hand-made and recorded histories: every way to look passed or failed without being so.

mod guards;
mod hand;
mod late;
mod tapes;

use super::judge;
use super::marks::{CANARY, CASES, IDLE, STABLE};
use aiconform_model::probe::Sent;
use aiconform_verdict::{Drawing, State, Verdict};
use hand::{Run, sent};

#[test]
fn a_gateway_that_does_what_its_routes_say_meets_every_claim() {
    let judged = Run::default().judged();
    assert_eq!((judged.verdict, judged.simulated), (Verdict::Passed, false), "{}", judged.why);
    let subject = &judged.subjects[0];
    assert!(subject.claims.iter().all(|claim| claim.outcome.is_met()), "{subject:?}");
    let Drawing::Bars(bars) = &subject.pictures[0].drawing else { panic!("{:?}", subject.pictures) };
    assert_eq!(bars.len(), 9);
    assert!(!subject.measures.is_empty());
}

#[test]
fn shares_are_judged_by_what_they_can_come_of_and_not_by_nearness() {
    let word = |stable, canary| {
        let run = Run {
            split: [sent(&[(STABLE, 480), (CANARY, 120)]), sent(&[(STABLE, stable), (CANARY, canary)])],
            ..Run::default()
        };
        run.word(judge::weights_split_the_traffic)
    };
    // Weights 80 and 20 may come out as these, with a chance of more than one in a million.
    assert_eq!([word(480, 120), word(440, 160), word(519, 81)], ["met"; 3]);
    // Half each, a third, none, all; a share per connection of three.
    assert_eq!([word(300, 300), word(400, 200), word(600, 0), word(0, 600)], ["unmet"; 4]);
    // Right shares of too few.
    assert_eq!(word(320, 80), "unknown");
}

#[test]
fn what_is_sent_to_a_login_page_says_nothing_of_the_gateway() {
    let mut away = sent(&[]);
    away.answers = hand::foreign(302, "https://login.test/", 600);
    let run = Run { split: [away.clone(), away], ..Run::default() };
    assert_eq!(run.word(judge::weights_split_the_traffic), "unknown");
    let judged = run.judged();
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert!(judged.why.contains("https://login.test/"), "{}", judged.why);
}

#[test]
fn a_route_that_is_accepted_and_not_served_fails_and_silence_does_not() {
    let mut nowhere = sent(&[]);
    nowhere.answers = hand::foreign(404, "", 600);
    let run = Run { split: [nowhere.clone(), nowhere], ..Run::default() };
    assert_eq!(run.word(judge::weights_split_the_traffic), "unmet");
    assert_eq!(run.judged().verdict, Verdict::Failed);
    let mut silent = sent(&[]);
    silent.errors = [("no answer in time".to_owned(), 600)].into();
    silent.sent = 600;
    let run = Run { split: [silent.clone(), silent], ..Run::default() };
    assert_eq!(run.word(judge::weights_split_the_traffic), "unknown");
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn refusals_that_may_be_of_something_before_the_gateway_fail_nobody() {
    let word = |of: &[(u16, u32)], lost: u32| {
        let mut refused = sent(&[]);
        refused.answers = of.iter().flat_map(|(status, count)| hand::foreign(*status, "", *count)).collect();
        if lost > 0 {
            refused.errors = [("no answer in time".to_owned(), lost)].into();
        }
        let run = Run { split: [refused.clone(), refused.clone()], ..Run::default() };
        let mut case = refused;
        case.sent = 10;
        let header = Run { case: Some((CASES[0].name, case)), ..Run::default() };
        assert_eq!(
            run.word(judge::weights_split_the_traffic),
            header.word(judge::headers_choose_the_backend),
            "{of:?}"
        );
        assert_eq!(
            run.word(judge::weights_split_the_traffic),
            run.word(judge::weight_zero_gets_nothing),
            "{of:?}"
        );
        run.word(judge::weights_split_the_traffic)
    };
    assert_eq!(
        [word(&[(404, 600)], 0), word(&[(500, 600)], 0), word(&[(404, 1), (500, 599)], 0)],
        ["unmet"; 3]
    );
    // A policy of the network, a load balancer, a limit of requests, somebody else's page, and one answer of many.
    for status in [503, 502, 504, 429, 200] {
        assert_eq!(word(&[(status, 600)], 0), "unknown", "{status}");
    }
    assert_eq!(
        [word(&[(503, 1)], 599), word(&[(404, 1)], 599), word(&[(404, 599), (503, 1)], 0)],
        ["unknown"; 3]
    );
}

#[test]
fn connections_that_are_closed_after_each_answer_were_not_used_again() {
    let made = |connections| Sent { connections, ..sent(&[(STABLE, 480), (CANARY, 120)]) };
    let word = |connections| {
        let run = Run { split: [made(600), made(connections)], ..Run::default() };
        run.word(judge::weights_split_the_traffic)
    };
    assert_eq!([word(3), word(4), word(600)], ["met", "met", "unknown"]);
    let case = |connections| Sent { connections, ..sent(&[(CASES[0].expects, 10)]) };
    let word = |connections| {
        let run = Run { case: Some((CASES[0].name, case(connections))), ..Run::default() };
        run.word(judge::headers_choose_the_backend)
    };
    assert_eq!([word(3), word(10)], ["met", "unknown"]);
    // Wrong shares are wrong over any connections.
    let half = Sent { connections: 600, ..sent(&[(STABLE, 300), (CANARY, 300)]) };
    let run = Run { split: [made(600), half], ..Run::default() };
    assert_eq!(run.word(judge::weights_split_the_traffic), "unmet");
}

#[test]
fn a_gateway_of_which_nothing_is_said_is_not_programmed() {
    let word = |run: Run| run.word(judge::gateway_is_programmed);
    assert_eq!(word(Run::default()), "met");
    assert_eq!(word(Run { gateway: &[("Accepted", "True")], ..Run::default() }), "unknown");
    let unknown: &[(&str, &str)] = &[("Accepted", "True"), ("Programmed", "Unknown")];
    assert_eq!(word(Run { gateway: unknown, ..Run::default() }), "unknown");
    assert_eq!(word(Run { address: "", ..Run::default() }), "unknown");
}

#[test]
fn an_object_of_which_nothing_is_said_is_not_passed_over() {
    for silent in ["split", "header", "missing"] {
        let run = Run { silent: Some(silent), ..Run::default() };
        assert_eq!(run.word(judge::status_is_of_the_latest), "unknown", "{silent}");
        // Another shows all the same that what is said is not of the latest.
        let run = Run { observed: 1, ..run };
        assert_eq!(run.word(judge::status_is_of_the_latest), "unmet", "{silent}");
    }
    assert_eq!(Run { gateway: &[], ..Run::default() }.word(judge::status_is_of_the_latest), "unknown");
}

#[test]
fn one_answer_of_the_backend_with_weight_zero_is_one_too_many() {
    let one = sent(&[(STABLE, 480), (CANARY, 119), (IDLE, 1)]);
    let run = Run { split: [Run::default().split[0].clone(), one], ..Run::default() };
    assert_eq!(run.word(judge::weight_zero_gets_nothing), "unmet");
    assert_eq!(run.word(judge::weights_split_the_traffic), "met");
    // It saw one whose answer was lost.
    assert_eq!(Run { idle_saw: 1, ..Run::default() }.word(judge::weight_zero_gets_nothing), "unmet");
    // Nobody asked it.
    assert_eq!(Run { counts: false, ..Run::default() }.word(judge::weight_zero_gets_nothing), "unknown");
}

#[test]
fn every_form_of_request_must_go_where_its_header_says() {
    for case in CASES {
        let wrong = if case.expects == CANARY { STABLE } else { CANARY };
        let run = Run { case: Some((case.name, sent(&[(wrong, 1), (case.expects, 9)]))), ..Run::default() };
        assert_eq!(run.word(judge::headers_choose_the_backend), "unmet", "{}", case.name);
        let mut lost = sent(&[(case.expects, 9)]);
        (lost.sent, lost.errors) = (10, [("no answer in time".to_owned(), 1)].into());
        let run = Run { case: Some((case.name, lost)), ..Run::default() };
        assert_eq!(run.word(judge::headers_choose_the_backend), "unknown", "{}", case.name);
    }
}

#[test]
fn answers_from_memory_from_somebody_else_or_around_the_gateway_leave_nothing_known() {
    let word = |change: &dyn Fn(&mut aiconform_model::probe::Answer)| {
        let mut split = Run::default().split;
        change(&mut split[0].answers[0].answer);
        let run = Run { split, ..Run::default() };
        (run.word(judge::requests_pass_the_gateway), run.judged().verdict)
    };
    assert_eq!(word(&|answer| answer.is_own = false), ("unmet", Verdict::Inconclusive));
    assert_eq!(
        word(&|answer| answer.backend = "stable-of-another-run".into()),
        ("unmet", Verdict::Inconclusive)
    );
    assert_eq!(word(&|answer| answer.peer = hand::SENDER.into()), ("unmet", Verdict::Inconclusive));
    // A proxy that keeps the sender's address says so in a header.
    let keeps = |answer: &mut aiconform_model::probe::Answer| {
        answer.peer = hand::SENDER.into();
        answer.proxied = vec!["x-forwarded-for".into()];
    };
    assert_eq!(word(&keeps), ("met", Verdict::Passed));
    let fewer = Run { unseen: 1, ..Run::default() };
    assert_eq!(fewer.word(judge::requests_pass_the_gateway), "unmet");
    let nowhere = Run { nowhere: sent(&[(STABLE, 10)]), ..Run::default() };
    assert_eq!(nowhere.word(judge::requests_pass_the_gateway), "unmet");
}

#[test]
fn backends_that_do_not_answer_by_themselves_leave_nothing_known() {
    let run = Run { direct: sent(&[(STABLE, 9)]), ..Run::default() };
    assert_eq!(run.word(judge::backends_answer_directly), "unmet");
    assert_eq!(run.judged().verdict, Verdict::Inconclusive);
}

#[test]
fn a_change_that_never_comes_fails_and_one_that_nobody_answers_does_not() {
    let stays = Run { changed: Some((false, sent(&[(STABLE, 48), (CANARY, 12)]))), ..Run::default() };
    assert_eq!(stays.word(judge::change_of_weights_takes_effect), "unmet");
    assert_eq!(stays.judged().verdict, Verdict::Failed);
    let mut silent = sent(&[]);
    (silent.sent, silent.errors) = (60, [("no answer in time".to_owned(), 60)].into());
    let silent = Run { changed: Some((false, silent)), ..Run::default() };
    assert_eq!(silent.word(judge::change_of_weights_takes_effect), "unknown");
    let other = Run { changed: Some((true, sent(&[(STABLE, 300), (CANARY, 300)]))), ..Run::default() };
    assert_eq!(other.word(judge::change_of_weights_takes_effect), "unmet");
    assert_eq!(
        Run { changed: None, ..Run::default() }.word(judge::change_of_weights_takes_effect),
        "unknown"
    );
}

#[test]
fn a_last_look_whose_shares_the_changed_weights_can_bring_about_fails_nobody() {
    let word = |stable, canary, lost: u32| {
        let mut last = sent(&[(STABLE, stable), (CANARY, canary)]);
        last.sent += lost;
        if lost > 0 {
            last.errors = [("no answer in time".to_owned(), lost)].into();
        }
        Run { changed: Some((false, last)), ..Run::default() }.word(judge::change_of_weights_takes_effect)
    };
    // It was lost over and over, so that the change was never seen three times in a row; and it has come.
    assert_eq!([word(7, 30, 23), word(12, 48, 0)], ["unknown"; 2]);
    assert_eq!([word(48, 12, 0), word(30, 30, 0), word(24, 6, 30)], ["unmet"; 3]);
}

#[test]
fn a_word_on_an_earlier_generation_is_told_and_is_no_part_of_the_requirement() {
    let stale = Run { observed: 1, ..Run::default() };
    assert_eq!(stale.word(judge::status_is_of_the_latest), "unmet");
    assert_eq!(stale.judged().verdict, Verdict::Passed);
}

#[test]
fn a_missing_backend_is_told_and_answered_with_500() {
    let word = |resolved, status| {
        let mut missing = sent(&[]);
        missing.answers = hand::foreign(status, "", 10);
        Run { resolved, missing, ..Run::default() }.word(judge::missing_backend_is_told)
    };
    assert_eq!(word("False", 500), "met");
    assert_eq!([word("True", 500), word("False", 503), word("False", 404)], ["unmet"; 3]);
    assert_eq!([word("", 500), word("False", 302)], ["unknown"; 2]);
}

#[test]
fn routes_that_are_not_accepted_fail_unless_the_platforms_gateway_takes_none() {
    let word = |reason| Run { refused: Some(reason), ..Run::default() }.word(judge::gateway_is_programmed);
    assert_eq!([word("UnsupportedValue"), word("NotAllowedByListeners")], ["unmet", "unknown"]);
}

#[test]
fn a_class_that_nobody_implements_is_not_in_force() {
    for accepted in ["Unknown", "False", ""] {
        let judged = Run { accepted, ..Run::default() }.judged();
        assert_eq!(judged.subjects[0].state, State::NotInForce, "{accepted}");
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert!(judged.why.contains("install an implementation"), "{}", judged.why);
    }
}

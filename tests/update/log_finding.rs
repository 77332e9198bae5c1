//! Finding in logs: searching, filtering, folding, counting, going to errors, marks and times, looking closely.

use quarterdeck::app::state::Overlay;
use quarterdeck::app::{Effect, Msg};
use quarterdeck::model::Guard;

use crate::fixture::Deck;
use crate::logs::{logs, long, reader};

#[test]
fn what_is_shown_is_saved_as_text_or_as_data() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl").log("db-1-id", &[r#"{"msg":"slow","level":"warn","ms":7,"password":"x1y2z3"}"#, "plain", "other plain"]);
    deck.press("xplain<enter>").press("<ctrl-s><ctrl-u>some.log<enter>");
    let Some(Effect::Save { content, .. }) = deck.effects.pop() else { panic!("saved") };
    assert_eq!(content.lines().map(|l| l.split_once("Z ").unwrap().1).collect::<Vec<_>>(), ["plain", "other plain"]);
    deck.press("<esc><ctrl-s><ctrl-u>all.jsonl<enter>");
    let Some(Effect::Save { content, .. }) = deck.effects.pop() else { panic!("saved") };
    let first: serde_json::Value = serde_json::from_str(content.lines().next().unwrap()).unwrap();
    assert_eq!((&first["environment"], &first["workload"], &first["message"]), (&"shop".into(), &"db".into(), &"slow".into()));
    assert_eq!((&first["level"], &first["fields"]["ms"]), (&"warn".into(), &7.into()));
    assert!(!content.contains("x1y2z3") && content.lines().count() == 3, "{content}");
}

#[test]
fn lines_are_read_as_somebody_says_and_from_when() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl").log("db-1-id", &["level=warn msg=hello", "other"]).press("kF");
    let format = |deck: &Deck| logs(deck).line(0).map(|l| l.format.word());
    assert_eq!(format(&deck), Some("logfmt"));
    deck.press("j<enter>");
    assert_eq!(format(&deck), Some("plain"), "{}", deck.look());
    deck.press("F<home><enter>");
    assert_eq!(format(&deck), Some("logfmt"), "as it seems again");
    deck.wait(10).press("W10m<enter>");
    let query = &logs(&deck).sources[0].query;
    assert_eq!((query.tail, query.since.map(|t| t.as_second() - deck.state.now.as_second())), (None, Some(-600)));
    assert!(logs(&deck).is_empty(), "read anew");
    deck.press("Wsoon<enter>");
    assert!(deck.look().contains("a time is wanted"), "{}", deck.look());
    deck.press("<ctrl-u><enter>");
    assert_eq!(logs(&deck).sources[0].query.tail, Some(100));
}

fn shown(deck: &Deck) -> Vec<&str> {
    let view = logs(deck);
    (0..view.len()).filter_map(|i| view.line(i)).map(|l| l.text).collect()
}

#[test]
fn searching_goes_while_typing_and_round() {
    let mut deck = long();
    deck.press("/needle");
    let seen = |deck: &Deck| {
        let search = logs(deck).search.as_ref().unwrap();
        (reader(deck), search.found.matches(&logs(deck).store))
    };
    assert_eq!(seen(&deck), ("line 157 Needle".into(), 4), "small letters find both");
    deck.press("<enter>N");
    assert_eq!(seen(&deck).0, "line 107 Needle");
    deck.press("nn");
    assert_eq!(seen(&deck).0, "line 7 Needle", "past the end it begins again");
    deck.log("db-1-id", &["another needle"]);
    assert_eq!(seen(&deck).1, 5, "what comes is counted");
    deck.press("/<ctrl-u>NEEDLE");
    assert_eq!(seen(&deck).1, 0, "capitals mean capitals");
    deck.press("<ctrl-u>(");
    assert!(logs(&deck).search.as_ref().unwrap().regex.is_err(), "told, not guessed");
    deck.press("<esc>");
    assert!(logs(&deck).search.is_none());
}

#[test]
fn errors_marks_and_times_are_gone_to_and_marked_lines_taken_away() {
    let mut deck = long();
    deck.log("db-1-id", &["ERROR first", "fine", "FATAL second"]);
    deck.press("E");
    assert_eq!(reader(&deck), "ERROR first");
    deck.press("e");
    assert_eq!(reader(&deck), "FATAL second");
    deck.press("e");
    assert_eq!(reader(&deck), "ERROR first", "past the end it begins again");
    deck.press("<space>");
    assert_eq!((reader(&deck).as_str(), logs(&deck).marks.len()), ("fine", 1), "marks and goes on");
    deck.press("gj<space>G,");
    assert_eq!(reader(&deck), "ERROR first");
    deck.press(",");
    assert_eq!(reader(&deck), "line 1");
    deck.press(".c");
    assert_eq!(deck.effects.pop(), Some(Effect::Copy("line 1\nERROR first".into())));
    deck.press("|wc -l<enter>");
    let piped = Effect::Pipe { command: "wc -l".into(), content: "line 1\nERROR first\n".into() };
    assert_eq!(deck.effects.pop(), Some(piped));
    deck.send(Msg::Piped { command: "wc -l".into(), result: Ok("2".into()) });
    let Some(Overlay::Text { title, lines, .. }) = deck.state.overlays.last() else { panic!("the answer is shown") };
    assert_eq!((&**title, lines.as_slice()), ("wc -l", ["2".into()].as_slice()));
    deck.press("<esc>T5s<enter>");
    assert_eq!(reader(&deck), format!("line {}", 199 - 5), "five seconds ago");
    deck.press("-");
    assert!(logs(&deck).marks.is_empty());
    deck.press("Tsoon<enter>");
    assert!(deck.look().contains("a time is wanted"), "{}", deck.look());
}

#[test]
fn lines_of_one_shape_are_counted_and_the_new_stand_first() {
    let mut deck = long();
    deck.press("<space>").log("db-1-id", &["WARN disk 81 % full", "WARN disk 82 % full"]);
    deck.press("p");
    for _ in 0..10 {
        deck.send(Msg::Work);
    }
    let sorted = |deck: &Deck| -> Vec<(String, u64)> {
        let Some(Overlay::Patterns { since, .. }) = deck.state.overlays.last() else { panic!("the patterns are shown") };
        let patterns = logs(deck).patterns.as_ref().unwrap();
        patterns.sorted(*since).iter().map(|p| (p.shape.clone(), p.count)).collect()
    };
    assert!(!deck.state.is_working());
    let seen = sorted(&deck);
    assert_eq!(seen[0].1, 2, "only the disk is new since the mark: {seen:?}");
    assert_eq!((seen[1].clone(), seen[2].1), (("line #".to_owned(), 196), 4));
    deck.press("<enter>");
    assert!(reader(&deck).starts_with("WARN disk"), "{}", reader(&deck));
    assert!(deck.state.overlays.is_empty() && logs(&deck).patterns.is_none());
}

#[test]
fn the_histogram_is_moved_along() {
    let mut deck = long();
    deck.send(Msg::Resize(120, 40)).press("g");
    for _ in 0..3 {
        deck.press("<gt>");
    }
    let at = logs(&deck).at();
    assert!((5..20).contains(&at), "three columns of some {at}");
    deck.press("<lt>");
    assert!(logs(&deck).at() < at);
}

#[test]
fn only_what_is_asked_for_is_shown_and_the_reader_stays() {
    let mut deck = long();
    deck.press("xneedle");
    assert_eq!(shown(&deck), ["line 7 Needle", "line 57 Needle", "line 107 Needle", "line 157 Needle"], "while typing");
    deck.press("<enter>");
    deck.log("db-1-id", &["nothing", "another needle", "ERROR needle in it"]);
    assert_eq!(shown(&deck).len(), 6, "what comes is chosen from, too");
    deck.press("x !another level>=warn<enter>");
    assert_eq!(shown(&deck), ["ERROR needle in it"]);
    deck.press("x \"");
    assert!(deck.look().contains("not closed"), "{}", deck.look());
    assert_eq!(shown(&deck), ["ERROR needle in it"], "what is not understood changes nothing");
    deck.press("<ctrl-u>157<enter>kk");
    assert_eq!(reader(&deck), "line 157 Needle");
    deck.press("+");
    assert_eq!(shown(&deck), ["line 156", "line 157 Needle", "line 158"]);
    deck.press("+");
    assert_eq!(shown(&deck).len(), 5);
    assert_eq!(reader(&deck), "line 157 Needle", "the reader stays");
    deck.press("__<esc>");
    assert_eq!((shown(&deck).len(), reader(&deck).as_str()), (203, "line 157 Needle"));
    deck.press("Mo");
    assert_eq!(logs(&deck).filter, "", "a menu asks which field first");
    deck.press("<enter>o");
    assert_eq!((logs(&deck).filter.as_str(), shown(&deck)), ("\"line 157 Needle\"", vec!["line 157 Needle"]));
    deck.press("<esc>M<enter>x");
    assert_eq!(shown(&deck).len(), 202);
}

#[test]
fn traces_are_folded_under_their_first_line() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl");
    let trace = ["before", "Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "KeyError: 'tenant'", "after"];
    deck.log("db-1-id", &trace);
    assert_eq!(shown(&deck), ["before", trace[1], "after"]);
    deck.press("kz");
    assert_eq!(shown(&deck), trace);
    assert_eq!(reader(&deck), trace[1]);
    deck.press("jz");
    assert_eq!((shown(&deck).len(), reader(&deck).as_str()), (3, trace[1]), "folded again from within");
    deck.press("Z");
    assert_eq!(shown(&deck), trace);
    deck.press("Zxtenant<enter>");
    assert_eq!(shown(&deck), [trace[1]], "a trace matches when any of its lines does");
    deck.press("<esc>/tenant<enter>");
    assert_eq!(reader(&deck), trace[1], "what is folded away stands under its first line");
    deck.press("<esc>Gz");
    assert!(deck.look().contains("nothing goes on with this line"), "{}", deck.look());
}

#[test]
fn a_line_is_looked_at_closely_and_its_fields_are_of_use() {
    let mut deck = Deck::shop(Guard::Open);
    deck.press("jl");
    deck.log("db-1-id", &[r#"{"event":"db_slow","level":"warning","latency_ms":812,"user":{"id":7},"note":"a\u001b[31m"}"#]);
    deck.press("<enter>");
    let Some(Overlay::Text { lines, .. }) = deck.state.overlays.last() else { panic!("the line is shown") };
    let text = lines.join("\n");
    for part in
        ["db_slow\n", "level                warn", "latency_ms           812", "user.id              7", "\"latency_ms\": 812"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "what an escape stood for is made safe");
    deck.press("c");
    assert!(matches!(deck.effects.pop(), Some(Effect::Copy(copied)) if copied == text));
    deck.press("<esc>Mjj");
    deck.press("<enter>c");
    assert_eq!(deck.effects.pop(), Some(Effect::Copy("812".into())));
    deck.press("Mjj<enter>s").press("Mjj<enter>h");
    assert_eq!(
        (logs(&deck).fields.as_slice(), logs(&deck).highlighted.as_slice()),
        (["latency_ms".into()].as_slice(), ["812".to_owned()].as_slice())
    );
    deck.press("H<ctrl-u>slow (x<enter>C<ctrl-u>user.id, latency_ms<enter>v");
    assert_eq!(logs(&deck).highlighted, ["slow", "(x"], "words, not patterns");
    assert_eq!(logs(&deck).fields, ["user.id".into(), "latency_ms".into()]);
    assert!(logs(&deck).raw);
}

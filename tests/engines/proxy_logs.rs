//! The log of an engine that is cut off, goes on, lies or floods: nothing lost, nothing twice, nothing that harms.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use quarterdeck::engine::{LogQuery, Topic, Update};
use quarterdeck::observe::log::{Marker, Store};

use crate::fake::Fake;
use crate::paging::it_pages_up;
use crate::proxy::{container, engine, event, id, next, now_ns, until};

fn query(follow: bool, tail: Option<u64>) -> Topic {
    Topic::Logs(LogQuery { tail, follow, ..LogQuery::of(id("one").as_str().into()) })
}

/// Reads until as many lines, markers not counted, are there; answers texts and marker words.
async fn lines_of(stream: &mut BoxStream<'static, Update>, store: &mut Store, wanted: usize) -> Vec<String> {
    loop {
        let all: Vec<String> = (0..store.len())
            .filter_map(|i| store.get(i))
            .map(|l| l.marker.map_or_else(|| format!("{} {}", l.stream.word(), l.text), |m| format!("-- {}", m.word())))
            .collect();
        if all.iter().filter(|l| !l.starts_with("--")).count() >= wanted {
            return all;
        }
        let batch = next(stream, |u| if let Update::Logs(batch) = u { Some(batch) } else { None }).await;
        store.push(&batch);
    }
}

fn log(fake: &Fake, from: i64, to: i64) {
    // Three lines share each time, and all texts are alike but for their stream.
    fake.with(|w| {
        w.log.extend((from..to).map(|n| (1_795_230_000_000_000_000 + n / 3, if n % 5 == 0 { 2 } else { 1 }, b"line".to_vec())));
    });
}

#[tokio::test]
async fn a_followed_log_survives_every_cut_without_loss_or_repetition() {
    let fake = Fake::started();
    log(&fake, 0, 10);
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(query(true, Some(4)));
    let mut store = Store::new(1 << 20);
    assert_eq!(lines_of(&mut topic, &mut store, 4).await.len(), 4);
    for round in 1..=5 {
        log(&fake, round * 10, round * 10 + 4);
        lines_of(&mut topic, &mut store, 4 + usize::try_from(round).unwrap() * 10 - 6).await;
        fake.cut();
        log(&fake, round * 10 + 4, round * 10 + 10);
        fake.start();
        lines_of(&mut topic, &mut store, 4 + usize::try_from(round).unwrap() * 10).await;
    }
    let all = lines_of(&mut topic, &mut store, 54).await;
    let expected: Vec<String> = (6..60).map(|n| format!("{} line", if n % 5 == 0 { "stderr" } else { "stdout" })).collect();
    let got: Vec<String> = all.iter().filter(|l| !l.starts_with("--")).cloned().collect();
    assert_eq!(got.len(), expected.len());
    assert_eq!(
        got.iter().filter(|l| l.starts_with("stderr")).count(),
        expected.iter().filter(|l| l.starts_with("stderr")).count()
    );
    assert_eq!(all.iter().filter(|l| *l == "-- reconnected").count(), 5);
}

#[tokio::test]
async fn five_thousand_lines_of_few_times_are_paged_up_while_more_come() {
    let fake = Fake::started();
    let begin = 1_795_230_000_000_000_000;
    // Hundreds of lines share a time; some are long enough to be cut into pieces.
    let line = |n: i64| {
        let long = if n % 97 == 0 { "x".repeat(40_000) } else { String::new() };
        (begin + n / 300, if n % 5 == 0 { 2 } else { 1 }, format!("line {n} {long}").into_bytes())
    };
    fake.with(|w| w.log = (0..5000).map(line).collect());
    let engine = engine(&fake.host());
    let meanwhile = || {
        fake.with(|w| {
            let next = i64::try_from(w.log.len()).unwrap();
            // More than a look back allows for.
            w.log.extend((next..next + 150).map(line));
        });
    };
    let lines = it_pages_up(&engine, &id("one").as_str().into(), 500, meanwhile).await;
    assert!(lines.len() >= 5000, "{}", lines.len());
    assert!(lines.iter().enumerate().all(|(n, text)| text.starts_with(&format!("line {n} "))), "each once, in order");
}

#[tokio::test]
async fn a_log_nobody_reads_on_stays_with_the_engine() {
    let fake = Fake::started();
    let begin = 1_795_230_000_000_000_000;
    let lines = 8_000;
    fake.with(|w| w.log = (0..lines).map(|n| (begin + n, 1, vec![b'x'; 500])).collect());
    let whole = 500 * usize::try_from(lines).unwrap();
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(query(true, None));
    let mut store = Store::new(1 << 30);
    lines_of(&mut topic, &mut store, 100).await;
    // Nobody asks for more: what is in the socket's buffers is sent, and then no byte.
    let mut sent = 0;
    let mut still = 0;
    while still < 2000 {
        tokio::task::yield_now().await;
        let now = fake.with(|w| w.sent);
        still = if now == sent { still + 1 } else { 0 };
        sent = now;
    }
    assert!(sent < whole / 4, "{sent} of {whole} bytes were sent to nobody");
    // It goes on where it was, and nothing is lost.
    assert_eq!(lines_of(&mut topic, &mut store, usize::try_from(lines).unwrap()).await.len(), usize::try_from(lines).unwrap());
}

#[tokio::test]
async fn a_log_of_nothing_but_odd_bytes_is_safe() {
    let fake = Fake::started();
    let long = vec![b'x'; 1_500_000];
    fake.with(|w| {
        w.log = vec![
            (1, 1, b"\x1b[31mred\x1b[0m \x1b]0;t\x07".to_vec()),
            (2, 2, vec![0xff, 0xfe, b'a']),
            (3, 1, long),
            (4, 1, b"password=hunter2".to_vec()),
            (5, 1, Vec::new()),
        ];
    });
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(query(false, None));
    let mut store = Store::new(1 << 24);
    while let Some(update) = topic.next().await {
        if let Update::Logs(batch) = update {
            store.push(&batch);
        }
    }
    let texts: Vec<&str> = (0..store.len()).filter_map(|i| store.get(i)).map(|l| l.text).collect();
    assert_eq!(texts.len(), 5);
    assert_eq!((texts[0], texts[1], texts[3], texts[4]), ("red ", "\u{fffd}\u{fffd}a", "password=••••••", ""));
    assert!(texts[2].starts_with("xxxx") && texts[2].len() < 1_100_000 && texts[2].contains("cut"), "{}", texts[2].len());
}

#[tokio::test]
async fn a_log_goes_on_when_its_container_does_and_ends_when_it_is_gone() {
    let fake = Fake::started();
    log(&fake, 0, 3);
    let state = |word: &str| vec![(id("one"), format!(r#"{{"Id":"x","State":{{"Status":"{word}","ExitCode":3}}}}"#))];
    fake.with(|w| {
        w.inspect = state("exited");
        w.ended = true;
        w.list = format!("[{}]", container("one").replace("running", "exited"));
    });
    let engine = engine(&fake.host());
    let mut inventory = engine.subscribe(Topic::Inventory);
    until(&mut inventory, &["one"]).await;
    let mut topic = engine.subscribe(query(true, None));
    let mut store = Store::new(1 << 20);
    lines_of(&mut topic, &mut store, 3).await;
    let ended = next(&mut topic, |u| if let Update::Logs(batch) = u { Some(batch) } else { None }).await;
    store.push(&ended);
    let last = store.get(store.len() - 1).unwrap();
    assert_eq!(last.marker, Some(&Marker::Ended("the container has ended with exit code 3".into())));

    let run = |fake: &Fake, word: &str, ended: bool| {
        let containers = format!("[{}]", container("one").replace("running", word));
        fake.with(|w| {
            w.inspect = state(word);
            w.ended = ended;
            w.list = containers;
            w.events.push(event("one", "start", now_ns()));
        });
    };
    run(&fake, "running", false);
    log(&fake, 3, 6);
    let both = async {
        tokio::select! {
            all = lines_of(&mut topic, &mut store, 6) => all,
            () = async { while inventory.next().await.is_some() {} } => panic!("the inventory ended"),
        }
    };
    assert_eq!(both.await.iter().filter(|l| !l.starts_with("--")).count(), 6);

    fake.with(|w| {
        w.inspect.clear();
        w.ended = true;
    });
    let end = async {
        let mut last = None;
        while let Some(update) = topic.next().await {
            if let Update::Logs(batch) = update {
                store.push(&batch);
                last = store.get(store.len() - 1).and_then(|l| l.marker.cloned());
            }
        }
        last
    };
    let last = tokio::time::timeout(Duration::from_secs(20), end).await.expect("the log does not end");
    assert_eq!(last, Some(Marker::Ended("the container is gone".into())));
}

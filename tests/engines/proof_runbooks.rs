//! Backups that come back: runbooks as an on-call engineer has them, on a real Redis and a real PostgreSQL.

use crate::desk::{Desk, LMS};
use crate::real_engine::{Stack, real_engine, with_stack_images};

/// As in the README.
const RUNBOOKS: &str = r#"
[[environment.probe]]
name = "redis"
workload = "redis"
exec = ["redis-cli", "ping"]

[[environment.runbook]]
name = "backup-redis"
steps = [
    { exec = { workload = "redis", command = ["redis-cli", "BGSAVE"] } },
    { exec = { workload = "redis", command = ["sh", "-c", "until redis-cli INFO persistence | grep -q rdb_bgsave_in_progress:0; do sleep 1; done"] } },
    { copy_out = { workload = "redis", from = "/data/dump.rdb", to = "backups/{env}-redis.rdb" } },
]

[[environment.runbook]]
name = "restore-redis"
steps = [
    { stop = { workload = "redis" } },
    { copy_in = { workload = "redis", from = "backups/{env}-redis.rdb", to = "/data/dump.rdb" } },
    { start = { workload = "redis" } },
    { wait = { probe = "redis", within = "30s" } },
]

[[environment.runbook]]
name = "dump-postgres"
steps = [
    { exec = { workload = "db", command = ["pg_dump", "--format=custom", "--file=/tmp/lms.dump", "postgres"] } },
    { copy_out = { workload = "db", from = "/tmp/lms.dump", to = "backups/{env}-lms.dump" } },
]

[[environment.runbook]]
name = "restore-postgres"
steps = [
    { copy_in = { workload = "db", from = "backups/{env}-lms.dump", to = "/tmp/lms.dump" } },
    { exec = { workload = "db", command = ["pg_restore", "--clean", "--if-exists", "--dbname=postgres", "/tmp/lms.dump"] } },
]

[[environment.runbook]]
name = "seed"
tiers = ["local"]
steps = [{ exec = { workload = "redis", command = ["redis-cli", "SET", "seeded", "yes"] } }]
"#;

fn said(stack: &Stack<'_>, service: &str, command: &[&str]) -> String {
    let mut arguments = vec!["exec"];
    let id = stack.ids(service).remove(0);
    arguments.push(&id);
    arguments.extend(command);
    stack.engine.docker(&arguments).trim().to_owned()
}

fn run(desk: &Desk, runbook: &str) {
    desk.change(&["run", runbook, "-e", "shop"]).done();
}

#[test]
fn what_was_backed_up_comes_back() {
    let Some(engine) = real_engine().map(with_stack_images) else { return };
    let stack = engine.services_of("backup", LMS, &["db", "redis", "proxypal"]);
    let desk = Desk::at(&stack, RUNBOOKS);

    said(&stack, "redis", &["redis-cli", "SET", "course:7", "chemistry"]);
    run(&desk, "backup-redis");
    said(&stack, "redis", &["redis-cli", "FLUSHALL"]);
    assert_eq!(said(&stack, "redis", &["redis-cli", "GET", "course:7"]), "");
    run(&desk, "restore-redis");
    assert_eq!(said(&stack, "redis", &["redis-cli", "GET", "course:7"]), "chemistry");

    let sql = |text: &str| said(&stack, "db", &["psql", "-At", "-c", text]);
    sql("create table courses (id int primary key, name text); insert into courses values (7, 'chemistry')");
    run(&desk, "dump-postgres");
    sql("drop table courses");
    run(&desk, "restore-postgres");
    assert_eq!(sql("select name from courses where id = 7"), "chemistry");

    // This is staging: a seed may run on a local environment only.
    let refused = desk.change(&["run", "seed", "-e", "shop"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.told.contains("local"), "{}", refused.told);
    assert_eq!(said(&stack, "redis", &["redis-cli", "EXISTS", "seeded"]), "0");
}

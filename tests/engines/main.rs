//! The engines held to their promises: one contract for all, and what only a real Docker engine can show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_cmp,
    clippy::too_many_lines,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::needless_pass_by_value,
    clippy::many_single_char_names,
    clippy::type_complexity,
    reason = "a test or a measurement says what it needs, and stops where it is not so"
)]

#[path = "../support/apiserver.rs"]
mod apiserver;
#[path = "../support/desk.rs"]
mod desk;
#[path = "../support/driver.rs"]
mod driver;
#[path = "../support/load.rs"]
mod load;
#[path = "../support/real_engine.rs"]
mod real_engine;
#[path = "../support/real_swarm.rs"]
mod real_swarm;
#[path = "../support/registry.rs"]
mod registry;
#[path = "../support/store_app/app.rs"]
mod store_app;

mod cluster;
mod cluster_hands;
mod contract;
mod contract_cluster;
mod contract_demo;
mod contract_kubernetes;
mod contract_real;
mod fake;
mod hygiene;
mod kubernetes_logs;
mod kubernetes_mirror;
mod kubernetes_operate;
mod kubernetes_probes;
mod kubernetes_recorded;
mod kubernetes_stories;
mod kubernetes_watch;
mod paging;
mod proof_autoscale;
mod proof_gates;
mod proof_migration;
mod proof_rolling;
mod proof_runbooks;
mod proof_switch;
mod proxy;
mod proxy_logs;
mod real_attach;
mod real_cluster;
mod real_errands;
mod real_files;
mod real_hands;
mod real_image;
mod real_life;
mod real_lock;
mod real_logs;
mod real_observe;
mod real_probes;
mod real_replica;
mod real_scrape;
mod recorded;
mod swarm_real;
mod swarm_recorded;

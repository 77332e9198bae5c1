//! The columns of every list: what a person scans first stands first and goes last.

use super::{Column, ColumnSpec};
use crate::app::state::Screen;

const fn text(column: Column, title: &'static str, width: u16, rank: u8) -> ColumnSpec {
    ColumnSpec { column, title, width, grows: false, right: false, rank }
}

const fn number(column: Column, title: &'static str, width: u16, rank: u8) -> ColumnSpec {
    ColumnSpec { column, title, width, grows: false, right: true, rank }
}

const fn wide(column: Column, title: &'static str, width: u16, rank: u8) -> ColumnSpec {
    ColumnSpec { column, title, width, grows: true, right: false, rank }
}

const FLEET: &[ColumnSpec] = &[
    wide(Column::Name, "ENVIRONMENT", 14, 0),
    text(Column::Tier, "TIER", 10, 4),
    text(Column::Engine, "ENGINE", 10, 7),
    wide(Column::Feed, "FEED", 14, 1),
    number(Column::Ready, "READY", 7, 2),
    number(Column::Unhealthy, "NOT WELL", 8, 3),
    number(Column::Alerts, "ALERTS", 6, 4),
    number(Column::Cpu, "CPU", 6, 5),
    text(Column::CpuTrend, "", 8, 8),
    number(Column::Memory, "MEM", 6, 6),
    wide(Column::LastOperation, "LAST OPERATION", 16, 9),
    wide(Column::Lock, "LOCK", 10, 10),
];

const WORKLOADS: &[ColumnSpec] = &[
    wide(Column::Name, "WORKLOAD", 14, 0),
    text(Column::Kind, "KIND", 11, 8),
    number(Column::Ready, "READY", 5, 2),
    text(Column::Health, "HEALTH", 11, 1),
    number(Column::Revision, "REV", 4, 6),
    wide(Column::Image, "IMAGE", 14, 5),
    number(Column::Cpu, "CPU", 6, 3),
    text(Column::CpuTrend, "", 8, 9),
    number(Column::Memory, "MEM", 6, 4),
    number(Column::MemoryLimit, "%LIMIT", 6, 10),
    number(Column::Requests, "REQ/S", 6, 11),
    number(Column::Errors, "ERR", 6, 12),
    number(Column::Restarts, "RST", 4, 7),
    number(Column::Age, "AGE", 4, 6),
];

const INSTANCES: &[ColumnSpec] = &[
    wide(Column::Name, "INSTANCE", 16, 0),
    text(Column::State, "STATE", 11, 2),
    text(Column::Health, "HEALTH", 11, 1),
    number(Column::Revision, "REV", 4, 11),
    wide(Column::Image, "IMAGE", 14, 7),
    number(Column::Cpu, "CPU", 6, 3),
    text(Column::CpuTrend, "", 8, 12),
    number(Column::Memory, "MEM", 6, 4),
    number(Column::MemoryLimit, "%LIMIT", 6, 9),
    text(Column::Net, "NET/S", 15, 10),
    text(Column::Block, "DISK/S", 15, 14),
    number(Column::Pids, "PIDS", 4, 13),
    wide(Column::Ports, "PORTS", 10, 16),
    text(Column::Node, "NODE", 8, 17),
    text(Column::Ip, "IP", 15, 18),
    number(Column::Restarts, "RST", 4, 6),
    number(Column::Age, "AGE", 4, 5),
];

const HEALTH: &[ColumnSpec] = &[
    text(Column::Health, "HEALTH", 11, 0),
    wide(Column::Name, "WHAT", 16, 0),
    text(Column::Environment, "ENVIRONMENT", 12, 4),
    number(Column::Ready, "READY", 5, 3),
    wide(Column::Detail, "WHY", 30, 1),
    number(Column::Restarts, "RST", 4, 5),
    number(Column::Age, "AGE", 4, 6),
];

const METRICS: &[ColumnSpec] = &[
    wide(Column::Name, "NAME", 16, 0),
    number(Column::Cpu, "CPU", 6, 0),
    text(Column::CpuTrend, "", 12, 5),
    number(Column::Memory, "MEM", 6, 1),
    number(Column::MemoryLimit, "%LIMIT", 6, 3),
    text(Column::Net, "NET/S", 15, 2),
    text(Column::Block, "DISK/S", 15, 4),
    number(Column::Pids, "PIDS", 4, 6),
];

const ALERTS: &[ColumnSpec] = &[
    text(Column::State, "STATE", 11, 0),
    wide(Column::Name, "ALERT", 18, 0),
    text(Column::Environment, "ENVIRONMENT", 12, 4),
    text(Column::Severity, "SEVERITY", 9, 3),
    number(Column::Age, "FOR", 5, 1),
    number(Column::Value, "VALUE", 9, 2),
    wide(Column::Detail, "WHAT", 30, 1),
];

const TIMELINE: &[ColumnSpec] = &[
    text(Column::At, "AT", 11, 0),
    text(Column::Environment, "ENVIRONMENT", 12, 4),
    text(Column::Source, "SOURCE", 9, 3),
    wide(Column::Subject, "SUBJECT", 16, 0),
    wide(Column::What, "WHAT", 10, 1),
    wide(Column::Detail, "DETAIL", 24, 2),
];

const OPERATIONS: &[ColumnSpec] = &[
    text(Column::At, "AT", 11, 1),
    text(Column::Environment, "ENVIRONMENT", 12, 3),
    wide(Column::What, "OPERATION", 24, 0),
    text(Column::Outcome, "OUTCOME", 14, 0),
    number(Column::Duration, "TOOK", 9, 4),
    wide(Column::By, "BY", 14, 5),
    wide(Column::Detail, "DETAIL", 20, 2),
];

const REVISIONS: &[ColumnSpec] = &[
    number(Column::Revision, "REV", 5, 0),
    text(Column::State, "", 7, 1),
    wide(Column::Image, "IMAGE", 20, 0),
    text(Column::Digest, "DIGEST", 12, 4),
    text(Column::At, "AT", 11, 2),
    wide(Column::By, "BY", 14, 3),
    wide(Column::Cause, "CAUSE", 20, 5),
];

/// The columns of a screen that is a list; empty for the others.
#[must_use]
pub fn columns(screen: Screen) -> &'static [ColumnSpec] {
    match screen {
        Screen::Fleet => FLEET,
        Screen::Workloads => WORKLOADS,
        Screen::Instances => INSTANCES,
        Screen::Health => HEALTH,
        Screen::Metrics => METRICS,
        Screen::Alerts => ALERTS,
        Screen::Timeline => TIMELINE,
        Screen::Operations => OPERATIONS,
        Screen::Revisions => REVISIONS,
        Screen::Logs | Screen::Describe => &[],
    }
}

/// What a column is called where there is room for a word.
#[must_use]
pub fn title(column: Column) -> &'static str {
    match column {
        Column::Name => "name",
        Column::Tier => "tier",
        Column::Engine => "engine",
        Column::Feed => "feed",
        Column::Kind => "kind",
        Column::Ready => "ready",
        Column::State => "state",
        Column::Health => "health",
        Column::Unhealthy => "not well",
        Column::Alerts => "alerts firing",
        Column::Requests => "requests a second",
        Column::Errors => "share of requests that fail",
        Column::Revision => "revision",
        Column::Image => "image",
        Column::Cpu | Column::CpuTrend => "cpu",
        Column::Memory => "memory",
        Column::MemoryLimit => "share of memory limit",
        Column::Node => "node",
        Column::Ip => "ip",
        Column::Net => "network",
        Column::Block => "disk",
        Column::Pids => "processes",
        Column::Ports => "ports",
        Column::Restarts => "restarts",
        Column::Age => "age",
        Column::LastOperation => "last operation",
        Column::Lock => "lock",
        Column::Digest => "digest",
        Column::At => "time",
        Column::By => "by",
        Column::Cause => "cause",
        Column::Subject => "subject",
        Column::Source => "source",
        Column::What => "what",
        Column::Detail => "detail",
        Column::Outcome => "outcome",
        Column::Severity => "severity",
        Column::Value => "value",
        Column::Duration => "duration",
        Column::Environment => "environment",
    }
}

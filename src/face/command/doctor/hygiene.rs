//! The hygiene of what is shown: each environment's definitions looked at once and judged, and the certificates of its
//! addresses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::{StreamExt as _, stream};

use super::{Row, Verdict, row};
use crate::app::State;
use crate::engine::{Engine, EngineError};
use crate::model::{EnvironmentId, ProbeKind, Snapshot, Tier};
use crate::observe::hygiene::{Survey, clear, judge};
use crate::operate::policy::Before;
use crate::operate::{Accepted, Errand};
use crate::probe;

use super::super::Driver;

/// How long an engine may take to tell the definitions of one environment.
const SURVEY_WITHIN: Duration = Duration::from_secs(30);
/// How long a server may take to show its certificate.
const SHAKE_WITHIN: Duration = Duration::from_secs(5);
/// A certificate that ends sooner is told, days, where the configuration wants no other number.
const DAYS: u32 = 14;
/// Certificates looked at at a time.
const AT_ONCE: usize = 8;

/// Everything there is to say of the environments shown. `published`: ports 443 that are published are asked for their
/// certificates too.
pub(super) async fn look(driver: &mut Driver, published: bool) -> Vec<Row> {
    let snapshots: Vec<Arc<Snapshot>> = driver.state().snapshots().cloned().collect();
    let mut looks = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        let engine = driver.session().engine(&snapshot.environment.id.connection);
        let name = driver.state().name_of(&snapshot.environment.id);
        let addresses = addresses(driver.state(), &snapshot, published);
        looks.push(async move {
            let Some(engine) = engine else { return Vec::new() };
            let tier = snapshot.environment.tier;
            let (survey, shown) =
                join(survey(&*engine, &snapshot.environment.id), certificates(&engine, &name, tier, addresses)).await;
            let mut rows = definitions(&name, &snapshot, survey);
            rows.extend(shown);
            rows
        });
    }
    join_all(looks).await.into_iter().flatten().collect()
}

async fn survey(engine: &dyn Engine, environment: &EnvironmentId) -> Result<Survey, EngineError> {
    let late = || EngineError::TimedOut { what: "A look at the definitions".into(), seconds: SURVEY_WITHIN.as_secs() };
    tokio::time::timeout(SURVEY_WITHIN, engine.survey(environment.clone())).await.unwrap_or_else(|_| Err(late()))
}

/// One line a finding, one for what could not be looked at, and one for everything that is well.
fn definitions(name: &str, snapshot: &Snapshot, survey: Result<Survey, EngineError>) -> Vec<Row> {
    let hygiene = format!("hygiene of {name}");
    let survey = match survey {
        Ok(survey) => survey,
        Err(error) => return vec![row(hygiene, Verdict::Warn, error.to_string(), error.hint())],
    };
    let engine = snapshot.environment.engine;
    let findings = judge(&survey.makeups, snapshot.environment.tier, engine);
    let mut rows: Vec<Row> = Vec::with_capacity(findings.len() + 2);
    for finding in &findings {
        let state = if finding.grave { Verdict::Fail } else { Verdict::Warn };
        let check = format!("{} in {name}/{}", finding.check.word(), finding.workload);
        rows.push(row(check, state, finding.detail.clone(), finding.mend.clone()));
    }
    rows.extend(survey.unseen.iter().map(|why| row(hygiene.clone(), Verdict::Warn, why.to_string(), "")));
    let workloads: BTreeSet<_> = survey.makeups.iter().map(|makeup| &makeup.workload).collect();
    let well: Vec<&str> = clear(&findings, engine).into_iter().map(crate::observe::hygiene::Check::word).collect();
    if !workloads.is_empty() && !well.is_empty() {
        let detail = format!("{} workloads looked at; nothing to say of {}", workloads.len(), well.join(", "));
        rows.push(row(hygiene, Verdict::Ok, detail, ""));
    }
    rows
}

/// The addresses of an environment that have a certificate, and how many days it must hold yet.
fn addresses(state: &State, snapshot: &Snapshot, published: bool) -> Vec<(Arc<str>, u32)> {
    let policy = state.policy(&snapshot.environment);
    let mut all: Vec<(Arc<str>, u32)> = Vec::new();
    let mut add = |address: Arc<str>, days: u32| match all.iter_mut().find(|(known, _)| *known == address) {
        Some((_, known)) => *known = (*known).max(days),
        None => all.push((address, days)),
    };
    for probe in &policy.probes {
        let days = probe.expect.certificate_days.unwrap_or(DAYS);
        match &probe.kind {
            ProbeKind::Tls(address) if !address.contains('{') => add(address.clone(), days),
            ProbeKind::Http(url) => drop(secure(url).map(|address| add(address, days))),
            ProbeKind::Tls(_) | ProbeKind::Tcp(_) | ProbeKind::Exec(_) => {}
        }
    }
    for before in std::iter::once(&policy.deploy).chain(policy.workloads.values()).flat_map(|deploy| &deploy.before) {
        if let Before::Certificate { address, days } = before {
            add(address.clone(), *days);
        }
    }
    if published {
        let ports = snapshot.workloads.iter().flat_map(|w| &w.instances).flat_map(|i| &i.ports);
        for (host, port) in ports.filter(|port| port.container == 443).filter_map(|port| port.host.as_ref()) {
            let everywhere = matches!(&**host, "0.0.0.0" | "::" | "[::]" | "");
            let machine = if everywhere { snapshot.environment.machine() } else { host };
            add(format!("{machine}:{port}").into(), DAYS);
        }
    }
    all
}

/// `host:port` of an address behind TLS that is the same for everybody.
fn secure(url: &str) -> Option<Arc<str>> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    if host.is_empty() || host.contains('{') {
        return None;
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Some(if has_port { host.into() } else { format!("{host}:443").into() })
}

async fn certificates(engine: &Arc<dyn Engine>, name: &str, tier: Tier, addresses: Vec<(Arc<str>, u32)>) -> Vec<Row> {
    let look = |(address, days): (Arc<str>, u32)| async move {
        let errand = Errand::Certificate { address: address.clone(), days: 0, timeout: SHAKE_WITHIN };
        let found = match engine.plays(&errand) {
            Some(played) => played.await,
            None => probe::perform(None, errand, Arc::new(|_| {}), Arc::default()).await,
        };
        certificate(name, tier, &address, days, found)
    };
    stream::iter(addresses.into_iter().map(look)).buffered(AT_ONCE).collect().await
}

fn certificate(name: &str, tier: Tier, address: &str, wanted: u32, found: Result<Accepted, EngineError>) -> Row {
    let check = format!("certificate of {address} in {name}");
    let renew = "renew it (certbot renew, or whatever issues it) and reload the server that shows it";
    match found {
        Ok(Accepted::Reading { value: Some(days), words }) if days < f64::from(wanted) => {
            row(check, Verdict::Warn, format!("{words}, {wanted} days are wanted"), renew)
        }
        Ok(Accepted::Reading { words, .. }) => row(check, Verdict::Ok, words.to_string(), ""),
        Ok(_) => row(check, Verdict::Ok, "valid", ""),
        Err(error) => {
            let state = if tier == Tier::Production { Verdict::Fail } else { Verdict::Warn };
            row(check, state, error.to_string(), renew)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_behind_tls_is_taken_out_of_a_url() {
        for (url, expected) in [
            ("https://lms.example/health", Some("lms.example:443")),
            ("https://lms.example:8443", Some("lms.example:8443")),
            ("https://ann:x@lms.example/a?b", Some("lms.example:443")),
            ("http://lms.example/health", None),
            ("https://{instance}:8443/health", None),
        ] {
            assert_eq!(secure(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_certificate_is_judged_by_the_days_it_has_and_by_its_tier() {
        let days = |days: f64| Ok(Accepted::Reading { value: Some(days), words: "valid".into() });
        let bad = || Err(EngineError::Unmet { what: "a:443".into(), why: "its certificate has ended".into() });
        for (found, tier, expected) in [
            (days(61.0), Tier::Production, Verdict::Ok),
            (days(9.0), Tier::Production, Verdict::Warn),
            (bad(), Tier::Production, Verdict::Fail),
            (bad(), Tier::Local, Verdict::Warn),
        ] {
            assert_eq!(certificate("env", tier, "a:443", 14, found).state, expected);
        }
    }
}

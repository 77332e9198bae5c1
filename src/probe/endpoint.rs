//! One endpoint scraped again and again by its own rhythm, over one connection while the server keeps it.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, LOCATION};
use hyper::{Method, Request};
use jiff::Timestamp;
use tokio::time::Instant;

use super::http::{Line, Room, Target, basic, head, shown};
use super::pace::Pace;
use super::place::{self, Place};
use super::stream::Fault;
use super::{safe, seconds};
use crate::engine::Engine;
use crate::observe::metric::scan::Scanner;
use crate::observe::metric::series::Scan;
use crate::observe::watch::{ScrapeWatch, Scraped};

/// Formats that are read, the better one first.
const FORMATS: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
/// What one scrape may bring, bytes, packed and unpacked.
const MOST: usize = 16 << 20;
/// How long it may take; an endpoint that is scraped more often has as long as its interval.
const LONGEST: Duration = Duration::from_secs(10);

/// An endpoint, and when it is scraped next.
pub(super) struct Endpoint {
    engine: Option<Arc<dyn Engine>>,
    watch: ScrapeWatch,
    pace: Pace,
    line: Option<Line>,
    scanner: Scanner,
}

impl Endpoint {
    /// One that is scraped for the first time soon.
    pub(super) fn new(engine: Option<Arc<dyn Engine>>, watch: ScrapeWatch) -> Self {
        let pace = Pace::new(watch.scrape.interval);
        Self { engine, watch, pace, line: None, scanner: Scanner::default() }
    }

    /// Waits until it is time, scrapes, and tells.
    pub(super) async fn next(&mut self) -> Scraped {
        self.pace.turn().await;
        let (at, begun) = (Timestamp::now(), Instant::now());
        let limit = LONGEST.min(self.watch.scrape.interval);
        let read = match tokio::time::timeout(limit, self.scrape(limit)).await {
            Ok(read) => read,
            Err(_) => Err(format!("no answer within {}", seconds(limit))),
        };
        if read.is_err() {
            // Whatever is left on it is no answer to the next question.
            self.line = None;
        }
        Scraped { at, took: begun.elapsed(), read: read.map_err(|why| safe(&why)) }
    }

    async fn scrape(&mut self, limit: Duration) -> Result<Scan, String> {
        let place = self.place()?;
        let target = Target::parse(&place.address)?;
        let response = self.ask(&place, &target, limit).await.map_err(|fault| fault.why)?;
        let status = response.status().as_u16();
        if status != 200 {
            let location = response.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            return Err(refusal(status, location.as_deref()));
        }
        // Room for one text, given back: two hundred endpoints would keep two hundred.
        let mut room = Room::default();
        let body = room.body(response, MOST).await.map_err(|fault| fault.why)?;
        read(&mut self.scanner, &String::from_utf8_lossy(body))
    }

    fn place(&self) -> Result<Place, &'static str> {
        let url = &self.watch.scrape.url;
        if !place::is_of_instances(url) {
            return Ok(Place::plain(url));
        }
        let engine = self.engine.as_ref().ok_or("its engine is not connected")?;
        let (instance, _) = self.watch.instance.as_ref().ok_or("there is no instance to ask")?;
        Ok(Place::inside(engine, instance, url))
    }

    /// Asks over the connection that is there, else over a new one: a server may close what lies idle at any moment.
    async fn ask(
        &mut self,
        place: &Place,
        target: &Target,
        limit: Duration,
    ) -> Result<hyper::Response<hyper::body::Incoming>, Fault> {
        if let Some(mut line) = self.line.take().filter(Line::is_open)
            && let Ok(response) = line.send(request(target).map_err(Fault::new)?).await
        {
            self.line = Some(line);
            return Ok(response);
        }
        let mut line = Line::open(target, &place.way, None, limit).await?;
        let response = line.send(request(target).map_err(Fault::new)?).await?;
        self.line = Some(line);
        Ok(response)
    }
}

fn request(target: &Target) -> Result<Request<Full<Bytes>>, String> {
    let mut request = head(&Method::GET, target)?.header(ACCEPT, FORMATS).header(ACCEPT_ENCODING, "gzip");
    if let Some(login) = &target.login {
        request = request.header(AUTHORIZATION, basic(login)?);
    }
    request.body(Full::default()).map_err(|error| error.to_string())
}

/// Why there are no figures, and what to do about it.
fn refusal(status: u16, location: Option<&str>) -> String {
    match (status, location) {
        (300..=399, Some(location)) => format!("it answers {status} and points to {}: scrape that address", shown(location)),
        (401 | 403, _) => format!("it answers {status}: it wants a login (a user and a password in the address)"),
        (404, _) => format!("it answers {status}: nothing is exposed at that path"),
        (status, _) => format!("it answers {status}"),
    }
}

/// What the text says.
fn read(scanner: &mut Scanner, text: &str) -> Result<Scan, String> {
    let read = scanner.scan(text);
    if read.samples == 0 && read.unread > 0 {
        let line = text.trim_start().lines().next().unwrap_or_default();
        let begins: String = line.chars().take(40).collect();
        return Err(format!("what it answers is no metrics text, it begins with {begins:?}: check port and path"));
    }
    Ok(read)
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;

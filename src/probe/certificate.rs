//! A server's certificate: for its host, from somebody who is trusted, and for how long yet. The handshake is rustls' own
//! verification, which is only listened to: what it refuses stays refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{good, stream, unmet};
use crate::engine::EngineError;
use crate::operate::Accepted;

const DAY: u64 = 86_400;

/// A certificate that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Whole days until it, or one it rests on, ends. `None` when it could not be told.
    pub(super) days: Option<u64>,
}

impl Certificate {
    /// `valid for 61 days more`, when that is enough.
    pub(super) fn judge(self, least: Option<u32>) -> Result<String, String> {
        match (self.days, least) {
            (Some(days), Some(least)) if days < u64::from(least) => {
                Err(format!("its certificate ends in {}, {least} are wanted", words(days)))
            }
            (Some(days), _) => Ok(format!("valid for {} more", words(days))),
            (None, Some(_)) => Err("it cannot be told when its certificate ends".to_owned()),
            (None, None) => Ok("valid".to_owned()),
        }
    }
}

fn words(days: u64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Looks at the certificate at `host:port`.
pub(super) async fn look(address: &str, days: Option<u32>, limit: Duration) -> Result<Accepted, EngineError> {
    let work = async {
        let (stream, _) = stream::open(address, limit).await.map_err(|fault| fault.why)?;
        let (_, certificate) = shake(stream, stream::host_of(address), roots().await).await?;
        Ok::<_, String>(certificate)
    };
    let found = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(stream::Fault::late(limit).why));
    let certificate = found.map_err(|why| unmet(address, &why))?;
    let words = certificate.judge(days).map_err(|why| unmet(address, &why))?;
    Ok(good(certificate.days.map(|days| days as f64), format!("{address} {words}")))
}

/// Whom this machine trusts.
pub(super) async fn roots() -> Arc<RootCertStore> {
    static ROOTS: OnceCell<Arc<RootCertStore>> = OnceCell::const_new();
    let load = || async {
        let loaded = tokio::task::spawn_blocking(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        });
        Arc::new(loaded.await.unwrap_or_else(|_| RootCertStore::empty()))
    };
    ROOTS.get_or_init(load).await.clone()
}

/// Whom this machine trusts, and those in the file `ca`, which is read anew each time: it may have been renewed.
///
/// # Errors
/// A sentence when there is no such file, or no certificate in it.
pub(super) async fn trusted(ca: Option<&str>) -> Result<Arc<RootCertStore>, String> {
    /// Bytes a file of certificates may have.
    const LONGEST: u64 = 4 << 20;
    let system = roots().await;
    let Some(path) = ca else { return Ok(system) };
    let wrong = |why: &str| format!("the authority in {path} cannot be used: {why}");
    let size = tokio::fs::metadata(path).await.map_err(|error| wrong(&error.to_string()))?.len();
    if size > LONGEST {
        return Err(wrong("the file is too large to be one"));
    }
    let pem = tokio::fs::read(path).await.map_err(|error| wrong(&error.to_string()))?;
    let own: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong("it is no file of certificates (PEM)"))?;
    let mut roots = RootCertStore::clone(&system);
    let (added, _) = roots.add_parsable_certificates(own);
    if added == 0 { Err(wrong("there is no certificate in it (PEM)")) } else { Ok(Arc::new(roots)) }
}

/// Speaks TLS with `host` over `stream`, trusting `roots`.
pub(super) async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    roots: Arc<RootCertStore>,
) -> Result<(TlsStream<S>, Certificate), String> {
    if roots.is_empty() {
        return Err("this machine trusts no certificate authority (ca-certificates is missing)".to_owned());
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no name of a host"))?;
    let inner = WebPkiServerVerifier::builder(roots).build().map_err(|error| error.to_string())?;
    let witness = Arc::new(Witness { inner, seen: Mutex::new(None) });
    let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(witness.clone()).with_no_client_auth();
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(stream) => {
            let days = witness.days();
            Ok((stream, Certificate { days }))
        }
        Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(fault)) => refusal(fault, host, witness.is_self_signed()),
            Some(other) => format!("TLS failed: {other}"),
            None => format!("TLS failed: {error}"),
        }),
    }
}

fn refusal(fault: &CertificateError, host: &str, self_signed: bool) -> String {
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has ended".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is not for {host}")
        }
        _ if self_signed => "its certificate is signed by itself, so nobody vouches for it".to_owned(),
        CertificateError::UnknownIssuer => "its certificate is from an authority this machine does not trust".to_owned(),
        other => format!("its certificate is not valid: {other}"),
    }
}

/// Rustls' own verification, and what it was shown.
#[derive(Debug)]
struct Witness {
    inner: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<Shown>>,
}

/// The chain a server has shown.
#[derive(Clone, Debug)]
struct Shown {
    leaf: CertificateDer<'static>,
    rest: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
}

impl Witness {
    fn shown(&self) -> Option<Shown> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the chain holds so many seconds after 1970.
    fn holds(&self, shown: &Shown, at: u64) -> Result<(), Error> {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        self.inner.verify_server_cert(&shown.leaf, &shown.rest, &shown.name, &[], at).map(|_| ())
    }

    /// Whole days until the chain as it was shown does not hold any more: looked for by asking for other days.
    fn days(&self) -> Option<u64> {
        /// A hundred years: no certificate is looked at further ahead.
        const HORIZON: u64 = 36_500;
        let shown = self.shown()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let holds = |days: u64| self.holds(&shown, now + days * DAY).is_ok();
        if !holds(0) {
            return None;
        }
        let (mut good, mut bad) = (0, HORIZON);
        while good + 1 < bad {
            let middle = u64::midpoint(good, bad);
            if holds(middle) { good = middle } else { bad = middle }
        }
        Some(good)
    }

    /// Whether the certificate would be good if it were trusted itself.
    fn is_self_signed(&self) -> bool {
        let Some(shown) = self.shown().filter(|shown| shown.rest.is_empty()) else { return false };
        let mut roots = RootCertStore::empty();
        if roots.add(shown.leaf.clone()).is_err() {
            return false;
        }
        let Ok(own) = WebPkiServerVerifier::builder(Arc::new(roots)).build() else { return false };
        let now = UnixTime::now();
        match own.verify_server_cert(&shown.leaf, &[], &shown.name, &[], now) {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => false,
            // An authority's own certificate shown as a server's is one that openssl has made for a test.
            Ok(_) | Err(_) => true,
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown {
            leaf: leaf.clone().into_owned(),
            rest: rest.iter().map(|certificate| certificate.clone().into_owned()).collect(),
            name: name.to_owned(),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        self.inner.verify_server_cert(leaf, rest, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;

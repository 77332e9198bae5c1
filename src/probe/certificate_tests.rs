//! Certificates of a server made for the purpose (`tests/probe/tls/make`): good, ended, for another host, from nobody known.

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

const AUTHORITY: &[u8] = include_bytes!("../../tests/probe/tls/authority.pem");
const SERVER: &[u8] = include_bytes!("../../tests/probe/tls/server.pem");
const EXPIRED: &[u8] = include_bytes!("../../tests/probe/tls/expired.pem");
const OWN: &[u8] = include_bytes!("../../tests/probe/tls/own.pem");
const KEY: &[u8] = include_bytes!("../../tests/probe/tls/key.pem");

fn trusting(pem: &[u8]) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
    Arc::new(roots)
}

/// Serves the certificate to everybody; the address.
async fn serve(pem: &'static [u8]) -> String {
    let chain = vec![CertificateDer::from_pem_slice(pem).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever does not like the certificate leaves.
            drop(acceptor.accept(stream).await);
        }
    });
    address
}

async fn shaken(pem: &'static [u8], host: &str, roots: &[u8]) -> Result<Certificate, String> {
    let stream = TcpStream::connect(serve(pem).await).await.unwrap();
    shake(stream, host, trusting(roots)).await.map(|(_, certificate)| certificate)
}

#[tokio::test]
async fn a_good_certificate_tells_its_days() {
    let end: jiff::Timestamp = "2099-12-31T00:00:00Z".parse().unwrap();
    let expected = u64::try_from(end.duration_since(jiff::Timestamp::now()).as_hours() / 24).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let certificate = shaken(SERVER, host, AUTHORITY).await.unwrap();
        let days = certificate.days.unwrap();
        assert!(days.abs_diff(expected) <= 1, "{days} of {expected}");
        assert_eq!(certificate.judge(Some(14)), Ok(format!("valid for {days} days more")));
        assert_eq!(certificate.judge(Some(40_000)), Err(format!("its certificate ends in {days} days, 40000 are wanted")));
    }
}

#[tokio::test]
async fn a_bad_certificate_is_said_why() {
    for (pem, host, roots, why) in [
        (EXPIRED, "localhost", AUTHORITY, "its certificate has ended"),
        (SERVER, "lms.example", AUTHORITY, "its certificate is not for lms.example"),
        (SERVER, "localhost", OWN, "its certificate is from an authority this machine does not trust"),
        (OWN, "localhost", AUTHORITY, "its certificate is signed by itself, so nobody vouches for it"),
    ] {
        assert_eq!(shaken(pem, host, roots).await, Err(why.to_owned()));
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_said_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example ESMTP\r\n").await);
        }
    });
    let error = look(&address, Some(1), Duration::from_secs(10)).await.unwrap_err();
    assert!(error.to_string().contains("TLS failed"), "{error}");
    let error = look("127.0.0.1", None, Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1: it is no host:port");
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_beside_the_others() {
    let path = |name: &str| format!("{}/tests/probe/tls/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    let roots = trusted(Some(&path("authority"))).await.unwrap();
    assert_eq!(roots.len(), super::roots().await.len() + 1);
    let stream = TcpStream::connect(serve(SERVER).await).await.unwrap();
    assert!(shake(stream, "localhost", roots).await.is_ok());
    for (file, why) in [(path("key"), "there is no certificate in it"), (path("none"), "No such file")] {
        let said = trusted(Some(&file)).await.unwrap_err();
        assert!(said.starts_with(&format!("the authority in {file} cannot be used")) && said.contains(why), "{said}");
    }
}

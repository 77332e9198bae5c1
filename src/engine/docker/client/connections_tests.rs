//! Connections over TLS that cannot be: what is wrong is said, and in which file.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn endpoint(address: &str, files: TlsFiles) -> Endpoint {
    Endpoint { text: format!("tcp://{address}").into(), address: Address::Tls(address.to_owned(), files) }
}

fn authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/engines/recorded/ca.pem")
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let (empty, broken) =
        (path("empty.pem", ""), path("broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"));
    let missing = directory.path().join("missing.pem");
    let ca = Some(authority());
    for (files, said) in [
        (TlsFiles { ca: Some(empty.clone()), pair: None }, "empty.pem holds no certificate"),
        (TlsFiles { ca: Some(broken.clone()), pair: None }, "broken.pem: "),
        (TlsFiles { ca: Some(missing.clone()), pair: None }, "missing.pem: "),
        (TlsFiles { ca: ca.clone(), pair: Some((broken, missing.clone())) }, "broken.pem: "),
        (TlsFiles { ca: ca.clone(), pair: Some((authority(), missing)) }, "missing.pem: "),
        (TlsFiles { ca, pair: Some((authority(), empty)) }, "empty.pem: "),
    ] {
        let error = Connections::new(&endpoint("127.0.0.1:1", files)).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.starts_with("TLS with tcp://127.0.0.1:1 failed: ") && error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_counterpart_that_speaks_no_tls_is_said() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 16];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n").await.unwrap();
    });
    let endpoint = endpoint(&address, TlsFiles { ca: Some(authority()), pair: None });
    let error = Connections::new(&endpoint).unwrap().get("/_ping").await.unwrap_err();
    let error = super::super::failure("A sign of life", &endpoint.text, error);
    assert!(matches!(error, EngineError::Tls { .. }), "{error}");
    assert!(error.hint().contains("DOCKER_CERT_PATH"));
    server.await.unwrap();
}

#[test]
fn the_version_goes_in_front_of_every_path_once() {
    let version = bollard::ClientVersion { major_version: 1, minor_version: 41 };
    let uri = |text: &str| text.parse::<hyper::Uri>().unwrap();
    let versioned = |text: &str| versioned(&uri(text), &version).map(|u| u.to_string());
    assert_eq!(versioned("http://h:1/containers/x/json?a=b").as_deref(), Some("http://h:1/v1.41/containers/x/json?a=b"));
    assert_eq!(versioned("unix://2f64/_ping").as_deref(), Some("unix://2f64/v1.41/_ping"));
    assert_eq!(versioned("http://h:1/v1.40/_ping"), None);
}

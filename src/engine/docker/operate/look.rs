//! Looks at what a deploy needs before it begins: the image, here or in its registry and for this platform, and the disk.

use std::sync::Arc;

use bollard::models::ImageInspect;

use super::wire::{SHORT, Wire};
use super::{credential, image, name, reference};
use crate::engine::EngineError;
use crate::observe::text::clean;
use crate::operate::Accepted;

/// What the engine runs: `linux` and `amd64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Platform {
    pub(super) os: String,
    pub(super) architecture: String,
}

impl Platform {
    /// The engine's own.
    pub(super) async fn of(wire: &Wire) -> Result<Self, EngineError> {
        let found = wire.call("the engine's platform", SHORT, |docker| async move { docker.version().await }).await?;
        let (os, architecture) = (found.os.unwrap_or_default(), found.arch.unwrap_or_default());
        Ok(Self { os: clean(&os).into_owned(), architecture: clean(&architecture).into_owned() })
    }

    /// Whether it runs what is for `other`. What does not say fits.
    fn runs(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| a.is_empty() || b.is_empty() || a.eq_ignore_ascii_case(b);
        let smaller = matches!((&*self.architecture, &*other.architecture), ("amd64", "386") | ("arm64", "arm"));
        same(&self.os, &other.os) && (smaller || same(&self.architecture, &other.architecture))
    }

    fn words(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }
}

/// What an image that is here is for.
fn platform_of(image: &ImageInspect) -> Platform {
    let text = |value: &Option<String>| clean(value.as_deref().unwrap_or_default()).into_owned();
    Platform { os: text(&image.os), architecture: text(&image.architecture) }
}

/// Refuses an image this engine cannot run.
///
/// # Errors
/// [`EngineError::Unmet`] that names both platforms.
pub(super) async fn check_platform(wire: &Wire, reference: &str, image: &ImageInspect) -> Result<Platform, EngineError> {
    fits(&Platform::of(wire).await?, &platform_of(image)).map_err(|why| unmet(reference, &why))
}

fn fits(engine: &Platform, image: &Platform) -> Result<Platform, String> {
    if engine.runs(image) {
        Ok(image.clone())
    } else {
        Err(format!("it is for {}, the engine runs {}", image.words(), engine.words()))
    }
}

fn unmet(image: &str, why: &str) -> EngineError {
    EngineError::Unmet { what: format!("image {}", clean(image)).into(), why: clean(why).into() }
}

/// Looks whether the image is here, or in its registry, and fits.
pub(super) async fn image(wire: &Wire, image: &str, digest: Option<&str>) -> Result<Accepted, EngineError> {
    if let Some(found) = wire.image(digest.unwrap_or(image)).await? {
        let platform = check_platform(wire, image, &found).await?;
        let id = found.id.unwrap_or_default();
        return Ok(reading(format!("present, {}, {}", short(&id), platform.words())));
    }
    let credentials = credential::of(reference::registry(image)).await;
    let tagged = if reference::without_tag(image) { format!("{image}:latest") } else { image.to_owned() };
    let what = format!("image {image}");
    let asked = wire.call(&what, SHORT, |docker| async move { docker.inspect_registry_image(&tagged, credentials).await }).await;
    let found = asked.map_err(|error| absent(image, image::refused(image, error)))?;
    let engine = Platform::of(wire).await?;
    let offered: Vec<Platform> = found
        .platforms
        .iter()
        .map(|p| Platform { os: p.os.clone().unwrap_or_default(), architecture: p.architecture.clone().unwrap_or_default() })
        // Build records are listed among the platforms, as `unknown`.
        .filter(|platform| platform.os != "unknown")
        .collect();
    let Some(platform) = offered.iter().find(|platform| engine.runs(platform)) else {
        let offered: Vec<String> = offered.iter().map(Platform::words).collect();
        return Err(unmet(image, &format!("its registry has it for {}, the engine runs {}", offered.join(", "), engine.words())));
    };
    let manifest = found.descriptor.digest.unwrap_or_default();
    let doubt = if digest.is_some() { "; whether it still is the content wanted shows when it is pulled" } else { "" };
    Ok(reading(format!("in its registry, {}, {}{doubt}", short(&manifest), platform.words())))
}

/// Why an image cannot be had, as something that is not as it should be.
fn absent(image: &str, error: EngineError) -> EngineError {
    match error {
        EngineError::NotFound { .. } => unmet(image, "it is neither here nor in its registry"),
        EngineError::Rejected { message, .. } => unmet(image, &format!("it is not here, and {message}")),
        other => other,
    }
}

/// `sha256:77c1a0b2c3d4`.
fn short(digest: &str) -> String {
    let (kind, hex) = digest.split_once(':').unwrap_or(("", digest));
    let hex = clean(name::short(hex)).into_owned();
    if kind.is_empty() { hex } else { format!("{}:{hex}", clean(kind)) }
}

fn reading(words: String) -> Accepted {
    Accepted::Reading { value: None, words: words.into() }
}

/// Looks whether the filesystem the engine keeps its data on has so many bytes left. On another machine that is not known,
/// which is said and holds nothing up.
pub(super) async fn disk(wire: &Wire, least: u64) -> Result<Accepted, EngineError> {
    let found = wire.call("the engine's disk", SHORT, |docker| async move { docker.info().await }).await?;
    let folder = found.docker_root_dir.unwrap_or_default();
    let here = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let is_here = wire.endpoint().starts_with("unix://") && found.name.is_some_and(|name| name == here.trim());
    let room = if is_here { rustix::fs::statvfs(&*folder).ok() } else { None };
    let Some(room) = room else {
        return Ok(reading("not known: the engine is not on this machine".to_owned()));
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    judge(free, least, &folder)
}

fn judge(free: u64, least: u64, folder: &str) -> Result<Accepted, EngineError> {
    let giga = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    if free < least {
        let what: Arc<str> = format!("the disk of {}", clean(folder)).into();
        return Err(EngineError::Unmet { what, why: format!("{} free, {} are wanted", giga(free), giga(least)).into() });
    }
    Ok(Accepted::Reading { value: Some(free as f64), words: format!("{} free (≥ {})", giga(free), giga(least)).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_fits_or_both_are_named() {
        let platform = |text: &str| {
            let (os, architecture) = text.split_once('/').unwrap();
            Platform { os: os.to_owned(), architecture: architecture.to_owned() }
        };
        for (engine, image, fit) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "linux/386", true),
            ("linux/amd64", "linux/arm64", false),
            ("linux/arm64", "linux/arm", true),
            ("linux/amd64", "windows/amd64", false),
            ("linux/amd64", "/", true),
        ] {
            let seen = fits(&platform(engine), &platform(image));
            assert_eq!(seen.is_ok(), fit, "{engine} {image}: {seen:?}");
        }
        let why = fits(&platform("linux/amd64"), &platform("linux/arm64")).unwrap_err();
        assert_eq!(why, "it is for linux/arm64, the engine runs linux/amd64");
    }

    #[test]
    fn room_is_told_in_figures() {
        let words = |free, least| match judge(free, least, "/var/lib/docker") {
            Ok(Accepted::Reading { words, .. }) => words.to_string(),
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(words(12_345_000_000, 2_000_000_000), "12.3 GB free (≥ 2.0 GB)");
        assert_eq!(words(1_000_000_000, 2_000_000_000), "the disk of /var/lib/docker: 1.0 GB free, 2.0 GB are wanted");
        assert_eq!(short("sha256:77c1a0b2c3d4e5f60718"), "sha256:77c1a0b2c3d4");
    }
}

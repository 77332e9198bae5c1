//! The volumes of a replica that takes another's place: those without a name of their own go with it, as Compose
//! does it. Pure.

use bollard::models::{HostConfig, MountPoint};

/// Binds the volumes of `mounts` that no bind or mount of `host` names, so that what they hold is kept.
pub(super) fn carry_over(host: &mut HostConfig, mounts: &[MountPoint]) {
    for mount in mounts {
        let (Some("volume"), Some(volume), Some(target)) =
            (mount.typ.as_deref(), mount.name.as_deref().filter(|name| !name.is_empty()), mount.destination.as_deref())
        else {
            continue;
        };
        let bound = host.binds.iter().flatten().any(|bind| bind_target(bind) == Some(target));
        let wanted = host.mounts.iter_mut().flatten().find(|wanted| wanted.target.as_deref() == Some(target));
        match wanted {
            Some(wanted) => {
                wanted.source.get_or_insert_with(String::new);
                if let Some(source) = wanted.source.as_mut().filter(|source| source.is_empty()) {
                    volume.clone_into(source);
                }
            }
            None if bound => {}
            None => {
                let mode = if mount.rw == Some(false) { ":ro" } else { "" };
                host.binds.get_or_insert_default().push(format!("{volume}:{target}{mode}"));
            }
        }
    }
}

/// Where a bind (`source:target[:options]`) is mounted.
fn bind_target(bind: &str) -> Option<&str> {
    bind.split(':').nth(1)
}

#[cfg(test)]
mod tests {
    use bollard::models::{Mount, MountType};

    use super::*;

    fn volume(name: &str, target: &str) -> MountPoint {
        MountPoint {
            typ: Some("volume".into()),
            name: Some(name.into()),
            destination: Some(target.into()),
            rw: Some(true),
            ..MountPoint::default()
        }
    }

    #[test]
    fn only_volumes_without_a_name_of_their_own_are_bound() {
        let mut host = HostConfig {
            binds: Some(vec!["shop_data:/data:rw".into(), "/etc/hosts:/etc/hosts:ro".into()]),
            mounts: Some(vec![Mount { target: Some("/spool".into()), typ: Some(MountType::VOLUME), ..Mount::default() }]),
            ..HostConfig::default()
        };
        let bind = MountPoint { typ: Some("bind".into()), destination: Some("/etc/hosts".into()), ..MountPoint::default() };
        let mut read_only = volume("bbbb", "/certs");
        read_only.rw = Some(false);
        carry_over(
            &mut host,
            &[volume("shop_data", "/data"), bind, volume("aaaa", "/var/lib/db"), volume("cccc", "/spool"), read_only],
        );
        assert_eq!(host.binds.unwrap(), ["shop_data:/data:rw", "/etc/hosts:/etc/hosts:ro", "aaaa:/var/lib/db", "bbbb:/certs:ro"],);
        assert_eq!(host.mounts.unwrap()[0].source.as_deref(), Some("cccc"));
    }
}

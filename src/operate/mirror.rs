//! The names of what stands beside a workload for a blue-green: its mirror, of one operation.

use crate::model::{OperationId, WorkloadId};

/// The longest name a mirror may have: its pods carry it on.
const LONGEST: usize = 54;

/// A short name for an operation, fit for labels and names of objects: the same one each time.
#[must_use]
pub fn tag(operation: &OperationId) -> String {
    // FNV-1a, 64 bits.
    let hash = operation
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

/// The name of what `operation` makes beside something called `name`: a mirror, a job.
#[must_use]
pub fn beside(name: &str, operation: &OperationId) -> String {
    let cut: String = name.chars().take(LONGEST).collect();
    format!("{}-{}", cut.trim_end_matches(['-', '.']), tag(operation))
}

/// The mirror of a workload as a workload of its own; a namespace in front of its name stays there.
#[must_use]
pub fn workload(of: &WorkloadId, operation: &OperationId) -> WorkloadId {
    match of.as_str().rsplit_once('/') {
        Some((namespace, name)) => WorkloadId::new(format!("{namespace}/{}", beside(name, operation))),
        None => WorkloadId::new(beside(of.as_str(), operation)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_called_the_same_each_time_and_fits() {
        let (one, other) = (OperationId::from("1795000000000-desk-7-1"), OperationId::from("1795000000000-desk-7-2"));
        assert_eq!(tag(&one), tag(&one.clone()));
        assert_ne!(tag(&one), tag(&other));
        assert_eq!(workload(&"shop/api".into(), &one).as_str(), format!("shop/api-{}", tag(&one)));
        let long = beside(&"a".repeat(80), &one);
        assert!(long.len() <= 63 && long.ends_with(&tag(&one)), "{long}");
    }
}

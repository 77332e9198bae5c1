//! The server's objects as far as they are shown, read loosely: whatever is missing, null or of another type than it should
//! be becomes its default, so that one odd field never loses its object and one odd object never loses a list. What is not
//! shown (managed fields first of all) is passed over while it is read. The types stop in `convert`.

pub mod around;
pub mod meta;
pub mod pod;
pub mod workload;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub use meta::{Line, List, Meta, Owner, Status};

/// What can be made of any JSON value.
pub trait Loose: Default {
    #[must_use]
    fn of_text(_: &str) -> Self {
        Self::default()
    }

    #[must_use]
    fn of_whole(_: i64) -> Self {
        Self::default()
    }

    #[must_use]
    fn of_fraction(_: f64) -> Self {
        Self::default()
    }

    #[must_use]
    fn of_bool(_: bool) -> Self {
        Self::default()
    }

    /// # Errors
    /// When the text is no JSON.
    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    /// # Errors
    /// When the text is no JSON.
    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

/// Reads a value loosely.
///
/// # Errors
/// When the text is no JSON.
pub fn loose<'de, D: Deserializer<'de>, T: Loose>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Reader(PhantomData))
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Loose> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::of_text(text))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Ok(T::of_whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Ok(T::of_whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        Ok(T::of_fraction(number))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        Ok(T::of_bool(value))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::of_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of_map(map)
    }
}

/// A value read loosely where no field's attribute can say so.
struct Loosely<T>(T);

impl<'de, T: Loose> Deserialize<'de> for Loosely<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose(deserializer).map(Loosely)
    }
}

impl Loose for String {
    fn of_text(text: &str) -> Self {
        text.to_owned()
    }

    // `maxSurge: 1` and `cpu: 2` are as good as texts.
    fn of_whole(number: i64) -> Self {
        number.to_string()
    }

    fn of_fraction(number: f64) -> Self {
        number.to_string()
    }
}

impl Loose for Option<i64> {
    fn of_whole(number: i64) -> Self {
        Some(number)
    }
}

impl Loose for Option<bool> {
    fn of_bool(value: bool) -> Self {
        Some(value)
    }
}

impl Loose for bool {
    fn of_bool(value: bool) -> Self {
        value
    }
}

impl Loose for Option<Timestamp> {
    fn of_text(text: &str) -> Self {
        text.parse().ok()
    }
}

impl<T: Loose> Loose for Vec<T> {
    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut all = Self::new();
        while let Some(Loosely(one)) = list.next_element()? {
            all.push(one);
        }
        Ok(all)
    }
}

impl Loose for BTreeMap<String, String> {
    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut all = Self::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == LAST_APPLIED {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let Loosely(value) = map.next_value()?;
            all.insert(key, value);
        }
        Ok(all)
    }
}

/// The whole object once more, as an annotation: nothing anybody wants to hold.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether something is there at all, whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present(pub bool);

impl Loose for Present {
    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self(true))
    }
}

/// Structures read loosely, field by field. A field may be renamed after `=`.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty $(= $rename:literal)?),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub struct $name {
            $(
                #[serde(deserialize_with = "crate::engine::kubernetes::wire::loose" $(, rename = $rename)?)]
                pub $field: $type,
            )*
        }

        impl $crate::engine::kubernetes::wire::Loose for $name {
            fn of_map<'de, A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            }
        }

        impl $crate::engine::kubernetes::wire::Loose for Option<$name> {
            fn of_map<'de, A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
            }
        }
    )* };
}
pub(super) use wire;

#[cfg(test)]
mod tests {
    use super::pod::Pod;
    use super::{Line, List};

    #[test]
    fn an_odd_field_never_loses_its_object_nor_an_odd_object_its_list() {
        let body = r#"{"metadata":{"resourceVersion":7,"continue":null},"items":[
            {"metadata":{"name":"a","labels":{"x":"y","n":3,"o":{}},"annotations":"none","creationTimestamp":"yesterday"},
             "spec":{"containers":[{"name":"c","ports":{"not":"a list"},"resources":[]},7,null]},"status":"unknown"},
            17, null, {"metadata":[]},
            {"metadata":{"name":"b","deletionTimestamp":"2026-11-21T00:00:00Z"},"status":{"containerStatuses":[{"restartCount":"many","ready":1}]}}]}"#;
        let list: List<Pod> = serde_json::from_str(body).unwrap();
        let names: Vec<&str> = list.items.iter().map(|p| &*p.metadata.name).collect();
        assert_eq!((names, &*list.metadata.resource_version), (vec!["a", "", "", "", "b"], "7"));
        let a = &list.items[0];
        assert_eq!((a.spec.containers.len(), a.metadata.labels["n"].as_str()), (3, "3"));
        assert!(a.metadata.creation_timestamp.is_none() && a.metadata.annotations.is_empty());
        let b = &list.items[4];
        assert_eq!(b.status.container_statuses[0].restart_count, None);
        assert!(b.metadata.deletion_timestamp.is_some());
    }

    #[test]
    fn a_line_of_a_watch_is_read_and_what_is_no_json_is_an_error() {
        let line: Line<Pod> = serde_json::from_str(r#"{"type":"NEW","object":"?"}"#).unwrap();
        assert_eq!((&*line.kind, &*line.object.metadata.name), ("NEW", ""));
        assert!(serde_json::from_str::<Line<Pod>>(r#"{"type":"ADDED","object":{"metadata":{"name":"a""#).is_err());
        assert!(serde_json::from_str::<List<Pod>>("<html>").is_err());
    }
}

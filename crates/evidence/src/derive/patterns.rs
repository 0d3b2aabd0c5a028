//! Patterns that are recognised in any text by their form: UUIDs, addresses, hosts of URLs, users.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Where UUIDs stand, with hyphens or (in paths of cgroups) underscores between; what stands before one may be anything,
/// because a name may end right there.
pub(super) fn uuids(text: &str) -> Vec<Range<usize>> {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (hyphen, _) in text.match_indices(['-', '_']) {
        let Some(start) = hyphen.checked_sub(GROUPS[0]) else { continue };
        let mut at = start;
        let whole = GROUPS.iter().enumerate().all(|(number, length)| {
            if number > 0 {
                if bytes.get(at) != Some(&bytes[hyphen]) {
                    return false;
                }
                at += 1;
            }
            let group = bytes.get(at..at + length);
            at += length;
            group.is_some_and(|group| group.iter().all(u8::is_ascii_hexdigit))
        });
        if whole
            && !bytes.get(at).is_some_and(u8::is_ascii_hexdigit)
            && found.last().is_none_or(|last| last.end <= start)
        {
            found.push(start..at);
        }
    }
    found
}

/// Where the digest of a container or a sandbox stands: 64 hexadecimal digits that are not said to be a SHA-256.
pub(super) fn digests(text: &str) -> Vec<Range<usize>> {
    let found = runs(text, |byte| byte.is_ascii_hexdigit());
    found.into_iter().filter(|range| range.len() == 64 && !text[..range.start].ends_with("sha256:")).collect()
}

/// Addresses of machines in a text, with the length of the network where it follows and the address is that of a network.
pub(super) fn addresses(text: &str) -> Vec<(&str, IpAddr, Option<u8>)> {
    let mut found = Vec::new();
    for range in runs(text, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
        let before = text[..range.start].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
            || !text[range.clone()].contains(['.', ':'])
        {
            continue;
        }
        let after = &text[range.end..];
        if after.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let Some((written, address)) = address(&text[range.clone()]) else { continue };
        found.push((written, address, None));
        let whole = text[range.start..].starts_with(written) && written.len() == range.len();
        let length = after.strip_prefix('/').map(|rest| {
            let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            &rest[..digits]
        });
        if let Some((digits, length)) = length.and_then(|digits| Some((digits, digits.parse::<u8>().ok()?)))
            && whole
            && is_network(address, length)
        {
            found.push((&text[range.start..range.end + 1 + digits.len()], address, Some(length)));
        }
    }
    found
}

/// The address in a word of digits, points and colons: it may be followed by a port, or end a sentence.
fn address(word: &str) -> Option<(&str, IpAddr)> {
    let word = word.trim_end_matches('.').trim_start_matches('.');
    let colons = word.matches(':').count();
    if colons <= 1 {
        let host = word.split(':').next().unwrap_or_default();
        return Some((host, IpAddr::V4(host.parse::<Ipv4Addr>().ok()?)));
    }
    let word = if word.ends_with("::") { word } else { word.trim_end_matches(':') };
    let address = word.parse::<Ipv6Addr>().ok()?;
    // Text of programs has `::` between words; an address that shows less than two groups tells nothing.
    let groups = word.split(':').filter(|group| !group.is_empty()).count();
    (groups >= 2).then_some((word, IpAddr::V6(address)))
}

/// Tells whether no bit is set after the length of the network.
pub(super) fn is_network(address: IpAddr, length: u8) -> bool {
    let (bits, size) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    length < size && bits.checked_shl(u32::from(length)).unwrap_or(0) == 0
}

/// Hosts of URLs, without ports.
pub(super) fn hosts(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, separator) in text.match_indices("://") {
        let rest = &text[at + separator.len()..];
        let end = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '@' | ':')))
            .unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next().unwrap_or_default();
        found.push(host.split(':').next().unwrap_or_default().trim_end_matches('.'));
    }
    found
}

/// Users: addresses of mail, and whom the API server names in its refusals.
pub(super) fn users(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '+');
        let start = text[..at].trim_end_matches(word).len();
        let end = text[at + 1..].find(|letter| !word(letter)).map_or(text.len(), |found| at + 1 + found);
        let mail = text[start..end].trim_end_matches('.');
        if start < at && mail.get(at + 1 - start..).is_some_and(|host| host.contains('.')) {
            found.push(mail);
        }
    }
    for (at, word) in text.match_indices("User \"") {
        let rest = &text[at + word.len()..];
        found.extend(rest.find('"').map(|end| &rest[..end]));
    }
    found
}

/// Labels of samples and the like: `name="value"`.
pub(super) fn labels(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, separator) in text.match_indices("=\"") {
        let name =
            text[..at].trim_end_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_').len();
        let rest = &text[at + separator.len()..];
        let Some(end) = rest.find('"') else { break };
        found.push((&text[name..at], &rest[..end]));
    }
    found
}

/// Names in paths of the API: after `/namespaces/`, `/nodes/` and `/pods/`.
pub(super) fn segments<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let after = text.match_indices(before).map(|(at, before)| &text[at + before.len()..]);
    after
        .map(|rest| {
            &rest[..rest
                .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.')))
                .unwrap_or(rest.len())]
        })
        .collect()
}

/// The longest stretches of bytes of a kind.
fn runs(text: &str, of: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().chain([0]).enumerate() {
        match (of(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn uuids_are_found_wherever_they_stand() {
        let uuid = "0fafe70b-3caf-40c5-abc2-6993dcf76f58";
        for text in [
            format!("pod{uuid}/x"),
            format!("GPU-{uuid}"),
            format!("a {uuid}."),
            uuid.replace('-', "_"),
            uuid.to_uppercase(),
        ] {
            let found = uuids(&text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(text[found[0].clone()].replace('_', "-").to_lowercase(), uuid);
        }
        assert!(uuids(&format!("{uuid}0")).is_empty());
    }

    #[test]
    fn addresses_are_told_from_versions_and_times() {
        let found = |text: &'static str| -> Vec<&str> {
            addresses(text).into_iter().map(|(text, ..)| text).collect()
        };
        assert_eq!(found("at 10.0.0.1:8080, and (10.0.0.2)."), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(found("10.244.0.0/24 and 10.244.0.7/24"), ["10.244.0.0", "10.244.0.0/24", "10.244.0.7"]);
        assert_eq!(
            found("http://[fd00:1::7]:443/ fd00:1::/64 says"),
            ["fd00:1::7", "fd00:1::", "fd00:1::/64"]
        );
        for text in [
            "1.37.2",
            "v1.2.3.4",
            "12:34:56",
            "std::io",
            "550.54.15.300",
            "a1.2.3.4x",
            "::",
            "2026-11-28T05:12:08.494",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn hosts_users_labels_and_segments() {
        assert_eq!(
            hosts("Get \"https://api.cirrus.test:6443/x\": at http://u@h.cirrus.test."),
            ["api.cirrus.test", "h.cirrus.test"]
        );
        assert_eq!(users("User \"jane\" and joe@cirrus.test. x@y"), ["joe@cirrus.test", "jane"]);
        assert_eq!(labels("m{node=\"a\",pod=\"b\"} 1"), [("node", "a"), ("pod", "b")]);
        assert_eq!(segments("/api/v1/namespaces/acme/pods/x:80/proxy", "/namespaces/"), ["acme"]);
        assert_eq!(digests(&format!("containerd://{0} sha256:{0}", "ab".repeat(32))).len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            let _ = (uuids(&text), digests(&text), addresses(&text), hosts(&text), users(&text), labels(&text), segments(&text, "/nodes/"));
        }

        #[test]
        fn any_text_of_such_letters_is_read(text in "[0-9a-fé.:/@\"=_-]{0,80}") {
            let _ = (uuids(&text), digests(&text), addresses(&text), hosts(&text), users(&text), labels(&text), segments(&text, "/nodes/"));
        }
    }
}

//! From a name to its pseudonym: a permutation of the names of one form that the key chooses, so that equal stays equal in
//! every run, different stays different, and nothing needs to be remembered.

use super::key::Key;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// Passes over both halves; four would do for a permutation that looks like chance, the more for short names.
const ROUNDS: u32 = 12;

/// Words that name nobody: of Kubernetes, of products, of this program.
static PUBLIC: LazyLock<std::collections::BTreeSet<&str>> =
    LazyLock::new(|| include_str!("public_words.txt").split_whitespace().collect());

/// Tells whether a label of a name says nothing about whose it is.
pub(super) fn is_public(label: &str) -> bool {
    let letters = label.chars().filter(char::is_ascii_alphanumeric);
    let digits_only = letters.clone().all(|letter| letter.is_ascii_digit());
    let count = letters.count();
    count < 3 || (digits_only && count < 6) || PUBLIC.contains(label.to_ascii_lowercase().as_str())
}

impl Key {
    /// The pseudonym of a name of labels and whatever stands between them: each label by itself, letters stay letters, digits
    /// digits, and the rest stays.
    pub(super) fn name(&self, name: &str) -> String {
        let mut pseudonym = String::with_capacity(name.len());
        let mut label = String::new();
        for letter in name.chars() {
            if letter.is_ascii_alphanumeric() || letter == '-' {
                label.push(letter);
            } else {
                pseudonym.push_str(&self.label(&std::mem::take(&mut label)));
                pseudonym.push(letter);
            }
        }
        pseudonym.push_str(&self.label(&label));
        pseudonym
    }

    fn label(&self, label: &str) -> String {
        let mut label = label.to_owned();
        // A permutation that is applied until it hits no public word is one of the words that are not public.
        if !is_public(&label) {
            loop {
                label = self.word(&label);
                if !is_public(&label) {
                    break;
                }
            }
        }
        label
    }

    /// The pseudonym of hexadecimal digits: a UUID stays one of its version and variant, with and without its hyphens, in
    /// upper case and in lower case; whatever else there is stays.
    pub(super) fn hexadecimal(&self, text: &str) -> String {
        let digits: Vec<u32> = text.chars().filter_map(|letter| letter.to_digit(16)).collect();
        let uuid = digits.len() == 32;
        let fixed = |place: usize| uuid && matches!(place, 12 | 16);
        let mut moved: Vec<u32> =
            digits.iter().enumerate().filter(|(place, _)| !fixed(*place)).map(|(_, digit)| *digit).collect();
        let sizes = vec![16; moved.len()];
        self.permute("hexadecimal", &mut moved, &sizes);
        let mut moved = moved.into_iter();
        let mut place = 0;
        let put = |letter: char| {
            let Some(digit) = letter.to_digit(16) else { return letter };
            let digit = if fixed(place) { Some(digit) } else { moved.next() };
            place += 1;
            digit.and_then(|digit| char::from_digit(digit, 16)).unwrap_or(letter)
        };
        // A digit of a UUID in upper case may become a letter: the case of the whole decides.
        let upper = text.chars().any(|letter| letter.is_ascii_uppercase());
        let put: String = text.chars().map(put).collect();
        if upper { put.to_ascii_uppercase() } else { put.to_ascii_lowercase() }
    }

    /// The pseudonym of an address: of the same kind (private stays private), and two that begin with the same bits still
    /// do, so that a network stays one. `None` for those that name no machine.
    pub(super) fn address(&self, address: IpAddr) -> Option<IpAddr> {
        match address {
            IpAddr::V4(address) => self.address_4(address).map(IpAddr::V4),
            IpAddr::V6(address) => self.address_6(address).map(IpAddr::V6),
        }
    }

    fn address_4(&self, address: Ipv4Addr) -> Option<Ipv4Addr> {
        let kept = kept_4(address)?;
        let mut bits = address.to_bits();
        loop {
            bits = self.bits("4", u128::from(bits), 32, kept) as u32;
            // The kind of a public address is in its first half, so that networks of that size stay together here too.
            if kept_4(Ipv4Addr::from_bits(bits)) == Some(kept) {
                return Some(Ipv4Addr::from_bits(bits));
            }
        }
    }

    fn address_6(&self, address: Ipv6Addr) -> Option<Ipv6Addr> {
        if let Some(inner) = address.to_ipv4_mapped() {
            return Some(self.address_4(inner)?.to_ipv6_mapped());
        }
        let kept = match address.segments()[0] {
            _ if address.is_unspecified() || address.is_loopback() || address.is_multicast() => return None,
            0xfe80..=0xfebf => 64,
            0xfc00..=0xfdff => 8,
            0x2000..=0x3fff => 3,
            _ => 16,
        };
        Some(Ipv6Addr::from_bits(self.bits("6", address.to_bits(), 128, kept)))
    }

    /// Turns each bit after the first ones by what stands before it.
    fn bits(&self, kind: &str, bits: u128, length: u32, kept: u32) -> u128 {
        (kept..length).fold(bits, |turned, place| {
            let before = bits.checked_shr(length - place).unwrap_or(0);
            let parts: [&[u8]; 3] = [kind.as_bytes(), &place.to_be_bytes(), &before.to_be_bytes()];
            turned ^ u128::from(self.numbers(&parts, 1)[0] & 1) << (length - 1 - place)
        })
    }

    /// The pseudonym of a word whatever it says, its letters and digits moved among their like.
    pub(super) fn word(&self, text: &str) -> String {
        let class = |letter: char| match letter {
            'a'..='z' => Some(('a', 26)),
            'A'..='Z' => Some(('A', 26)),
            '0'..='9' => Some(('0', 10)),
            _ => None,
        };
        let classes: Vec<(char, u32)> = text.chars().filter_map(class).collect();
        let mut digits: Vec<u32> = text
            .chars()
            .filter(|letter| class(*letter).is_some())
            .zip(&classes)
            .map(|(letter, (first, _))| letter as u32 - *first as u32)
            .collect();
        let sizes: Vec<u32> = classes.iter().map(|(_, size)| *size).collect();
        self.permute("name", &mut digits, &sizes);
        let mut put = digits.iter().zip(&classes);
        let letter = |letter: char| match class(letter).and_then(|_| put.next()) {
            Some((digit, (first, _))) => char::from_u32(*first as u32 + digit).unwrap_or(letter),
            None => letter,
        };
        text.chars().map(letter).collect()
    }

    /// A permutation of all numbers with these digits: what one half says is added to the other, in turns (a Feistel network).
    fn permute(&self, kind: &str, digits: &mut [u32], sizes: &[u32]) {
        let form: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
        let (left, right) = digits.split_at_mut(sizes.len() / 2);
        let (left_sizes, right_sizes) = sizes.split_at(sizes.len() / 2);
        for round in 0..ROUNDS {
            let (says, hears, sizes) = if round % 2 == 0 {
                (&*left, &mut *right, right_sizes)
            } else {
                (&*right, &mut *left, left_sizes)
            };
            let said: Vec<u8> = says.iter().flat_map(|digit| digit.to_be_bytes()).collect();
            let parts: [&[u8]; 4] = [kind.as_bytes(), &round.to_be_bytes(), &form, &said];
            let added = self.numbers(&parts, hears.len());
            for ((digit, size), added) in hears.iter_mut().zip(sizes).zip(added) {
                *digit = (*digit + added % size) % size;
            }
        }
    }
}

/// Number of bits of an address that say of what kind it is; `None` for those that name no machine, or the same everywhere.
fn kept_4(address: Ipv4Addr) -> Option<u32> {
    match address.octets() {
        [0 | 127 | 224..=255, ..] | [169, 254, ..] => None,
        [10, ..] => Some(8),
        [172, 16..=31, ..] => Some(12),
        [192, 168, ..] => Some(16),
        [100, 64..=127, ..] => Some(10),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn key() -> Key {
        Key::of(&[7; 32])
    }

    proptest! {
        #[test]
        fn names_keep_their_form_and_stay_apart(names in proptest::collection::btree_set("[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?(\\.[a-z]{1,6})?", 1..40)) {
            let pseudonyms: BTreeSet<String> = names.iter().map(|name| key().name(name)).collect();
            prop_assert_eq!(pseudonyms.len(), names.len());
            for name in &names {
                let pseudonym = key().name(name);
                prop_assert_eq!(&pseudonym, &key().name(name));
                let form = |text: &str| -> String {
                    text.chars().map(|letter| match letter { 'a'..='z' => 'a', '0'..='9' => '0', other => other }).collect()
                };
                prop_assert_eq!(form(&pseudonym), form(name));
                prop_assert!(name.split('.').zip(pseudonym.split('.')).all(|(own, other)| is_public(own) == is_public(other)));
            }
        }

        #[test]
        fn uuids_stay_uuids_in_every_writing(number in any::<u128>()) {
            let plain = format!("{number:032x}");
            let dashed = |text: &str| format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]);
            let pseudonym = key().hexadecimal(&plain);
            prop_assert_eq!(key().hexadecimal(&dashed(&plain)), dashed(&pseudonym));
            prop_assert_eq!(key().hexadecimal(&dashed(&plain).to_uppercase()), dashed(&pseudonym).to_uppercase());
            prop_assert_eq!((&pseudonym[12..13], &pseudonym[16..17]), (&plain[12..13], &plain[16..17]));
            prop_assert_ne!(pseudonym, plain);
        }

        #[test]
        fn addresses_keep_their_kind_and_their_networks(one in any::<u32>(), low in any::<u8>()) {
            let (one, other) = (Ipv4Addr::from_bits(one), Ipv4Addr::from_bits(one & !0xff | u32::from(low)));
            let (Some(first), Some(second)) = (key().address_4(one), key().address_4(other)) else { return Ok(()) };
            prop_assert_eq!(kept_4(first), kept_4(one));
            prop_assert_eq!(first.is_private(), one.is_private());
            prop_assert_eq!(&first.octets()[..3], &second.octets()[..3]);
            prop_assert_eq!(first == second, one == other);
        }

        #[test]
        fn addresses_of_version_6_too(one in any::<u128>(), low in any::<u64>()) {
            let (one, other) = (Ipv6Addr::from_bits(one), Ipv6Addr::from_bits(one >> 64 << 64 | u128::from(low)));
            let (Some(first), Some(second)) = (key().address_6(one), key().address_6(other)) else { return Ok(()) };
            prop_assert_eq!(first.is_unique_local(), one.is_unique_local());
            prop_assert_eq!(first.is_unicast_link_local(), one.is_unicast_link_local());
            prop_assert_eq!(&first.segments()[..4], &second.segments()[..4]);
            prop_assert_eq!(first == second, one == other);
        }
    }

    #[test]
    fn short_names_are_a_permutation() {
        let all: Vec<String> = (0..1000).map(|number| format!("n-{number:03}")).collect();
        let pseudonyms: BTreeSet<String> = all.iter().map(|name| key().name(name)).collect();
        assert_eq!(pseudonyms.len(), all.len());
    }

    #[test]
    fn another_key_gives_other_pseudonyms() {
        let other = Key::of(&[8; 32]);
        for name in ["cirrus-gpu-17", "stratus.cirrus.test"] {
            assert_ne!(key().name(name), other.name(name));
            assert_ne!(key().name(name), name);
        }
        assert_ne!(key().address("10.1.2.3".parse().unwrap()), other.address("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn what_names_nobody_stays() {
        for name in ["kube-system", "default", "n1", "a.io", "2026", "monitoring.svc.cluster.local"] {
            assert_eq!(key().name(name), name);
        }
        for address in ["127.0.0.1", "0.0.0.0", "::1", "::", "169.254.169.254", "255.255.255.255", "ff02::1"]
        {
            assert_eq!(key().address(address.parse().unwrap()), None, "{address}");
        }
    }
}

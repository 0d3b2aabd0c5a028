//! Gate of the addresses and ports that may be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Says which addresses and ports may be asked.
pub trait Gate: Send + Sync {
    /// Tells whether an address may be connected to.
    ///
    /// # Errors
    /// What kind of address it is, in words.
    fn address(&self, address: IpAddr) -> Result<(), &'static str>;

    /// Tells whether a port may be connected to.
    fn port(&self, port: u16) -> bool;
}

/// The public internet, and the ports on which pages are.
///
/// A foreign file must not make the machine of a reviewer talk to mail servers and the like, whose ports could otherwise
/// be named in a link.
pub struct Public;

impl Gate for Public {
    fn address(&self, address: IpAddr) -> Result<(), &'static str> {
        let kind = match address {
            IpAddr::V4(address) => four(address),
            IpAddr::V6(address) => six(address),
        };
        kind.map_or(Ok(()), Err)
    }

    fn port(&self, port: u16) -> bool {
        [80, 443, 8080, 8443].contains(&port)
    }
}

/// Ranges that are not of the public internet (IANA's registry of special addresses, and multicast).
const FOUR: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "an unspecified address"),
    ([10, 0, 0, 0], 8, "a private address"),
    ([100, 64, 0, 0], 10, "an address shared behind a carrier's NAT"),
    ([127, 0, 0, 0], 8, "an address of this machine"),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 0, 0, 0], 24, "a reserved address"),
    ([192, 0, 2, 0], 24, "an address for documentation"),
    ([192, 88, 99, 0], 24, "a reserved address"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([198, 18, 0, 0], 15, "an address for benchmarks"),
    ([198, 51, 100, 0], 24, "an address for documentation"),
    ([203, 0, 113, 0], 24, "an address for documentation"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
];

fn four(address: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(address);
    let of = |(start, length, _): &&([u8; 4], u32, &str)| {
        (bits ^ u32::from_be_bytes(*start)).checked_shr(32 - length) == Some(0)
    };
    FOUR.iter().find(of).map(|(.., kind)| *kind)
}

/// Of the whole space only `2000::/3` is given out; the rest, and some in it, is for other things.
fn six(address: Ipv6Addr) -> Option<&'static str> {
    let parts = address.segments();
    // A network without IPv4 reaches it by this prefix; the address that counts is at the end.
    if parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [high, low] = [parts[6].to_be_bytes(), parts[7].to_be_bytes()];
        return four(Ipv4Addr::new(high[0], high[1], low[0], low[1]));
    }
    match parts {
        _ if address.is_unspecified() => Some("an unspecified address"),
        _ if address.is_loopback() => Some("an address of this machine"),
        [0, 0, 0, 0, 0, 0xffff, ..] => Some("an IPv4 address in the clothes of IPv6"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] | [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("an address for documentation"),
        // 6to4 hides an IPv4 address; below 2001:200:: are Teredo, which does too, and other special uses.
        [0x2001, 0..=0x1ff, ..] | [0x2002, ..] => Some("a reserved address"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str) -> Result<(), &'static str> {
        Public.address(address.parse().unwrap())
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001::1",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(kind(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_not() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.1.1.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "2003::1",
            "3ffe::1",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(kind(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn mail_and_the_like_are_not_asked() {
        for port in [0, 21, 22, 25, 465, 587, 3306, 6379, 6443, 9200] {
            assert!(!Public.port(port), "{port}");
        }
        assert!(Public.port(443) && Public.port(80));
    }
}

//! From the name of a host to its addresses.

use futures::FutureExt;
use futures::future::BoxFuture;
use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use std::net::IpAddr;

/// From the name of a host to its addresses.
pub trait Names: Send + Sync {
    /// The addresses of a host.
    fn look_up<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, NoAddress>>;
}

/// Why a host has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// Servers that know say that there is no such name (NXDOMAIN).
    Unknown,
    /// The name exists, without an address.
    Without,
    /// Nobody knows, because something went wrong.
    Failed(String),
}

/// The name servers of this machine, asked without a detour over the system's library, which tells a name that does not
/// exist and a server that does not answer by the same words.
pub struct System(TokioResolver);

impl System {
    /// Reads which name servers this machine has.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn new() -> Result<System, String> {
        System::of(TokioResolver::builder_tokio().map_err(|error| error.to_string())?)
    }

    fn of(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<System, String> {
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        builder.build().map(System).map_err(|error| error.to_string())
    }
}

impl Names for System {
    fn look_up<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, NoAddress>> {
        async move {
            // The dot at the end says that the name is whole: domains of this machine's network are not appended.
            let whole = format!("{}.", host.trim_end_matches('.'));
            match self.0.lookup_ip(whole).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(error) if error.is_nx_domain() => Err(NoAddress::Unknown),
                Err(error) if error.is_no_records_found() => Err(NoAddress::Without),
                Err(error) => Err(NoAddress::Failed(error.to_string())),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use std::net::Ipv4Addr;
    use tokio::net::UdpSocket;

    /// A name server that answers by the first letter of the name.
    async fn server() -> u16 {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query).await {
                let _ = socket.send_to(&answer(&query[..length]), peer).await;
            }
        });
        port
    }

    /// RFC 1035, 4.1: the query's number and question, with a code, and an address where one is asked for.
    fn answer(query: &[u8]) -> Vec<u8> {
        let name_length = query[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
        let question = &query[12..12 + name_length + 4];
        let code = match question[1] {
            b'g' => 3,
            b's' => 2,
            b'r' => 5,
            _ => 0,
        };
        // Type A.
        let found = question[1] == b'k' && question[name_length..name_length + 2] == [0, 1];
        let mut answer = query[..2].to_vec();
        answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
        answer.extend(question);
        if found {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
        }
        answer
    }

    #[tokio::test]
    async fn a_name_that_is_not_there_is_told_from_a_server_that_does_not_know() {
        let mut connection = ConnectionConfig::udp();
        connection.port = server().await;
        let mut name_server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        name_server.connections = vec![connection];
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let system = System::of(builder).unwrap();
        assert_eq!(system.look_up("known.test-zone").await, Ok(vec![Ipv4Addr::new(192, 0, 2, 7).into()]));
        assert_eq!(system.look_up("gone.test-zone").await, Err(NoAddress::Unknown));
        assert_eq!(system.look_up("gone.test-zone.").await, Err(NoAddress::Unknown));
        assert_eq!(system.look_up("without.test-zone").await, Err(NoAddress::Without));
        for sick in ["sick.test-zone", "refused.test-zone"] {
            let found = system.look_up(sick).await;
            assert!(matches!(found, Err(NoAddress::Failed(_))), "{sick}: {found:?}");
        }
    }
}

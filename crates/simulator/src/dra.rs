//! The DRA driver: what the kubelet asks before a pod with claims starts, and after it has ended.

use crate::breakage::Breakage;
use crate::cdi;
use crate::claims::{self, Claims, Prepared};
use crate::messages::dra::{
    Claim, Device, NodePrepareResourceResponse, NodePrepareResourcesRequest, NodePrepareResourcesResponse,
    NodeUnprepareResourceResponse, NodeUnprepareResourcesRequest, NodeUnprepareResourcesResponse,
};
use crate::messages::registration::{
    InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse,
};
use crate::node::{DRIVER, Node};
use crate::rpc;
use aiconform_model::{Kind, Scope};
use camino::Utf8PathBuf;
use std::io;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Services of the driver; both have the same messages.
const SERVICES: [&str; 2] = ["v1.DRAPlugin", "v1beta1.DRAPlugin"];

/// The driver on one node.
pub struct Driver {
    node: Arc<Node>,
    claims: Mutex<Claims>,
}

impl Driver {
    /// Reads back what earlier processes prepared.
    ///
    /// # Errors
    /// When the folder of the claims cannot be read.
    pub fn new(node: Arc<Node>) -> io::Result<Driver> {
        let claims = Mutex::new(Claims::read(&node.settings)?);
        Ok(Driver { node, claims })
    }

    /// Serves the driver, and its registration, until it is dropped.
    ///
    /// # Errors
    /// When a socket cannot be made.
    pub async fn serve(self: Arc<Driver>) -> io::Result<()> {
        let endpoint = self.endpoint();
        let driver = rpc::listen(&endpoint, 0o600)?;
        let settings = &self.node.settings;
        // gRPC in Go makes the path of the socket the `:authority`, each "/" as "%2F", and HTTP libraries take that only
        // before an "@". The kubelet sends another authority than the path to every other socket.
        let registry =
            settings.kubelet_root.join("plugins_registry").join(format!("{}@reg.sock", settings.driver));
        let registry = rpc::listen(&registry, 0o600)?;
        let serving = rpc::serve(driver, {
            let driver = self.clone();
            move |request| driver.clone().handle(request)
        });
        let registering = rpc::serve(registry, move |request| self.clone().register(request));
        tokio::join!(serving, registering);
        Ok(())
    }

    fn endpoint(&self) -> Utf8PathBuf {
        let settings = &self.node.settings;
        settings.kubelet_root.join("plugins").join(&settings.driver).join("dra.sock")
    }

    async fn register(
        self: Arc<Driver>,
        request: http::Request<hyper::body::Incoming>,
    ) -> http::Response<tonic::body::Body> {
        match request.uri().path() {
            "/pluginregistration.Registration/GetInfo" => {
                let info = PluginInfo {
                    kind: "DRAPlugin".into(),
                    name: self.node.settings.driver.clone(),
                    endpoint: self.endpoint().into_string(),
                    supported_versions: SERVICES.map(String::from).into(),
                };
                rpc::answer(request, |_: InfoRequest| async { Ok(info) }).await
            }
            "/pluginregistration.Registration/NotifyRegistrationStatus" => {
                rpc::answer(request, |status: RegistrationStatus| async move {
                    if status.plugin_registered {
                        self.node.serves(DRIVER);
                        (self.node.talk)("the kubelet has registered the DRA driver");
                    } else {
                        (self.node.talk)(&format!("the kubelet refuses the DRA driver: {}", status.error));
                    }
                    Ok(RegistrationStatusResponse {})
                })
                .await
            }
            path => rpc::unknown(path),
        }
    }

    async fn handle(
        self: Arc<Driver>,
        request: http::Request<hyper::body::Incoming>,
    ) -> http::Response<tonic::body::Body> {
        let path = request.uri().path().to_owned();
        let known = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        match known.filter(|(service, _)| SERVICES.iter().any(|known| service.ends_with(known))) {
            Some((_, "NodePrepareResources")) => {
                rpc::answer(request, |asked: NodePrepareResourcesRequest| async move {
                    let mut answer = NodePrepareResourcesResponse::default();
                    for claim in asked.claims {
                        let became = match self.prepare(&claim).await {
                            Ok(devices) => NodePrepareResourceResponse { devices, error: String::new() },
                            Err(error) => {
                                let who = format!("{}/{}", claim.namespace, claim.name);
                                (self.node.talk)(&format!("claim {who} is not prepared: {error}"));
                                NodePrepareResourceResponse { devices: Vec::new(), error }
                            }
                        };
                        answer.claims.insert(claim.uid, became);
                    }
                    Ok(answer)
                })
                .await
            }
            Some((_, "NodeUnprepareResources")) => {
                rpc::answer(request, |asked: NodeUnprepareResourcesRequest| async move {
                    let mut answer = NodeUnprepareResourcesResponse::default();
                    for claim in asked.claims {
                        let error = self.undo(&claim.uid).await.err().unwrap_or_default();
                        answer.claims.insert(claim.uid, NodeUnprepareResourceResponse { error });
                    }
                    Ok(answer)
                })
                .await
            }
            _ => rpc::unknown(&path),
        }
    }

    async fn prepare(&self, asked: &Claim) -> Result<Vec<Device>, String> {
        let Node { settings, fleet, .. } = &*self.node;
        if settings.is_broken(Breakage::NeverPrepares) {
            std::future::pending::<()>().await;
        }
        let claim = self.claim(&asked.namespace, &asked.name).await?;
        let wanted = claims::wanted(settings, fleet, &claim, &asked.uid)?;
        // Held until the file is written, so that no two claims are prepared at once.
        let mut claims = self.claims.lock().await;
        while let Some((holder, device)) = claims.holder(fleet, &wanted) {
            let holder = holder.clone();
            if self.exists(&holder).await? {
                return Err(format!(
                    "{device} is prepared for claim {}/{} ({}), which exists",
                    holder.namespace, holder.name, holder.uid
                ));
            }
            // Whoever forgot to undo it is not this claim's business.
            cdi::remove(&cdi::claim_file(&settings.cdi, &holder.uid)).map_err(|error| error.to_string())?;
            claims.0.remove(&holder.uid);
        }
        // Also for a claim that was prepared before: an earlier process may have been set otherwise.
        let specification = claims::specification(settings, fleet, self.node.major, &wanted);
        let file = cdi::claim_file(&settings.cdi, &wanted.uid);
        cdi::write(&file, &specification).map_err(|error| error.to_string())?;
        let devices = wanted.devices.iter().map(|given| Device {
            request_names: vec![given.request.clone()],
            pool_name: wanted.pool.clone(),
            device_name: given.device.clone(),
            cdi_device_ids: vec![format!("{}={}", cdi::CLAIM, claims::cdi_name(&wanted.uid, &given.device))],
            share_id: None,
        });
        let devices = devices.collect();
        claims.0.insert(wanted.uid.clone(), wanted);
        Ok(devices)
    }

    async fn undo(&self, uid: &str) -> Result<(), String> {
        let mut claims = self.claims.lock().await;
        cdi::remove(&cdi::claim_file(&self.node.settings.cdi, uid)).map_err(|error| error.to_string())?;
        claims.0.remove(uid);
        Ok(())
    }

    async fn claim(&self, namespace: &str, name: &str) -> Result<aiconform_model::Object, String> {
        let api = self.node.api.as_ref().ok_or("no API server to ask for the claim")?;
        api.get(&Scope::default(), &claim_kind(), namespace, name).await.map_err(|error| error.to_string())
    }

    async fn exists(&self, claim: &Prepared) -> Result<bool, String> {
        let api = self.node.api.as_ref().ok_or("no API server to ask for the claim")?;
        match api.get(&Scope::default(), &claim_kind(), &claim.namespace, &claim.name).await {
            Ok(found) => Ok(found.uid() == claim.uid),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn claim_kind() -> Kind {
    Kind::namespaced("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims")
}

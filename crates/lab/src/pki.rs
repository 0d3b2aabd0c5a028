//! The certificates of a lab, made anew each time it starts and gone with it.

use crate::error::LabError;
use crate::node::Node;
use crate::serving::Serving;
use camino::Utf8Path;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// Client certificates: file name, user (CN), group (O).
const CLIENTS: &[(&str, &str, &str)] = &[
    // The lab's own tools may do everything, and nothing holds them back.
    ("admin", "lab-admin", "system:masters"),
    // Whoever comes from outside is an administrator as on other clusters: by a role.
    ("user", "lab-user", "lab:administrators"),
    ("apiserver-kubelet", "lab-apiserver", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("kube-proxy", "system:kube-proxy", ""),
];

/// Writes every certificate and key of the lab into `folder`; `servings` are those that parts of it serve with.
///
/// # Errors
/// When a certificate cannot be made or a file not be written.
pub fn write<'a>(
    folder: &Utf8Path,
    nodes: &[Node],
    servings: impl Iterator<Item = &'a Serving>,
) -> Result<(), LabError> {
    fs_err::create_dir_all(folder)?;
    let authority = authority("aiconform-lab")?;
    // The API server refuses to share one authority between clients and aggregated requests.
    let front = self::authority("aiconform-lab-front-proxy")?;
    fs_err::write(folder.join("ca.crt"), authority.pem())?;
    fs_err::write(folder.join("ca.key"), authority.key().serialize_pem())?;
    fs_err::write(folder.join("front-ca.crt"), front.pem())?;
    for (file, user, group) in CLIENTS {
        leaf(folder, file, user, group, None, &authority)?;
    }
    for node in nodes {
        let (file, user) = (format!("kubelet-{}", node.number), format!("system:node:{}", node.name()));
        leaf(folder, &file, &user, "system:nodes", None, &authority)?;
    }
    leaf(folder, "front-proxy", "front-proxy", "", None, &front)?;
    let names = [
        "127.0.0.1",
        "10.96.0.1",
        "10.199.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    leaf(folder, "apiserver", "kube-apiserver", "", Some(names.map(String::from).to_vec()), &authority)?;
    for serving in servings {
        leaf(folder, serving.service, serving.service, "", Some(serving.names()), &authority)?;
    }
    let tokens = KeyPair::generate()?;
    fs_err::write(folder.join("service-accounts.key"), tokens.serialize_pem())?;
    fs_err::write(folder.join("service-accounts.pub"), tokens.public_key_pem())?;
    Ok(())
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, LabError> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?)
}

fn leaf(
    folder: &Utf8Path,
    file: &str,
    user: &str,
    group: &str,
    serving: Option<Vec<String>>,
    issuer: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(), LabError> {
    // What serves may also call: parts of KEDA show one another the same certificate.
    let usages = match &serving {
        Some(_) => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        None => vec![ExtendedKeyUsagePurpose::ClientAuth],
    };
    let mut parameters = CertificateParams::new(serving.unwrap_or_default())?;
    parameters.distinguished_name.push(DnType::CommonName, user);
    if !group.is_empty() {
        parameters.distinguished_name.push(DnType::OrganizationName, group);
    }
    parameters.extended_key_usages = usages;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, issuer)?;
    fs_err::write(folder.join(format!("{file}.crt")), certificate.pem())?;
    fs_err::write(folder.join(format!("{file}.key")), key.serialize_pem())?;
    Ok(())
}

//! Secrets are taken out as evidence is written, never later.

use serde_json::Value;

/// Stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Takes secrets and noise out of an API body in place: the data of Secrets, tokens of any kind,
/// and `managedFields`, which doubles the size of objects and says nothing of behaviour.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let secret = map.get("kind").and_then(Value::as_str) == Some("Secret");
            map.remove("managedFields");
            for (key, item) in map.iter_mut() {
                let hidden = (secret && matches!(key.as_str(), "data" | "stringData")) || names_a_secret(key);
                if hidden && !item.is_null() {
                    *item = Value::String(REDACTED.into());
                } else if key == "kubectl.kubernetes.io/last-applied-configuration" {
                    // Holds a whole earlier object as text, a Secret's data included.
                    *item = Value::String(REDACTED.into());
                } else {
                    redact(item);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn names_a_secret(key: &str) -> bool {
    matches!(key, "token" | "password" | "bearerToken" | "client-key-data" | "clientKeyData" | "privateKey")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_and_tokens_are_gone_and_the_rest_stays() {
        let mut list = json!({"items": [
            {"kind": "Secret", "metadata": {"name": "a", "managedFields": [1]}, "data": {"x": "c2VjcmV0"}},
            {"kind": "ConfigMap", "data": {"x": "open"}},
            {"kind": "TokenRequest", "status": {"token": "abc"}}
        ]});
        redact(&mut list);
        let text = list.to_string();
        assert!(!text.contains("c2VjcmV0") && !text.contains("abc") && !text.contains("managedFields"));
        assert!(text.contains("open"));
    }

    #[test]
    fn an_applied_configuration_does_not_leak_what_it_copies() {
        let mut object = json!({"metadata": {"annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"x\":\"c2VjcmV0\"}}"}}});
        redact(&mut object);
        assert!(!object.to_string().contains("c2VjcmV0"));
    }
}

//! Every dialect on an exposition as its exporter writes it.

use super::*;
use aiconform_exposition::{Limits, parse};

fn read(dialect_id: &str, text: &str) -> Vec<Reading> {
    let found = parse(text, &Limits::default()).unwrap();
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert_eq!(recognise(&found).unwrap().id, dialect_id);
    readings(dialect(dialect_id).unwrap(), &found)
}

fn values(readings: &[Reading], quantity: Quantity) -> Vec<(&str, f64)> {
    let of = readings.iter().filter(|reading| reading.quantity == quantity);
    of.map(|reading| (reading.device.as_str(), reading.value)).collect()
}

#[test]
fn every_file_is_a_dialect_with_utilisation_memory_and_a_place() {
    for &(id, text) in FILES {
        let read: Dialect = toml::from_str(text).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(read.id, id);
        assert!(!read.utilisation.is_empty() && !read.memory_used.is_empty(), "{id}");
        assert!(!read.device.identity.is_empty() && !read.endpoint.is_empty(), "{id}");
        assert!(text.starts_with('#'), "{id}: where its names come from is not said");
    }
    assert_eq!(dialects().iter().map(|dialect| dialect.id.as_str()).collect::<Vec<_>>(), IDS);
    // Two dialects with a name in common could not be told apart.
    for (place, one) in dialects().iter().enumerate() {
        for other in &dialects()[place + 1..] {
            assert!(
                one.known_by().all(|name| other.known_by().all(|known| known != name)),
                "{} {}",
                one.id,
                other.id
            );
        }
    }
}

#[test]
fn dcgm() {
    let found = read(
        "dcgm",
        r#"DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="n",namespace="x",pod="p"} 97
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="n"} 0
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="n",namespace="x",pod="p"} 512
DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-a"} 41
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("GPU-a", 0.97), ("GPU-b", 0.0)]);
    assert_eq!(values(&found, Quantity::MemoryUsed), [("GPU-a", 536_870_912.0)]);
    assert_eq!(found[0].pods, [("x".into(), "p".into())]);
    assert_eq!(found[0].names, ["GPU-a", "0", "nvidia0", "0", "nvidia0"]);
    assert_eq!((found[1].pods.len(), found[1].node.as_str()), (0, "n"));
}

#[test]
fn names_that_name_nothing_and_values_that_are_none_are_left_out() {
    let found = read(
        "dcgm",
        r#"DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="N/A",device="nvidia0"} 97
DCGM_FI_DEV_GPU_UTIL{gpu="4294967295",UUID="GPU-00000000-0000-0000-0000-000000000000",device="unknown"} 1
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b"} 9.223372036854775794e+18
DCGM_FI_DEV_GPU_UTIL{gpu="2",UUID="GPU-c"} NaN
DCGM_FI_DEV_FB_USED{gpu="1",UUID="GPU-b"} 140737488355328
DCGM_FI_DEV_FB_USED{gpu="2",UUID="GPU-c"} 4000
"#,
    );
    // By the next label that names it.
    assert_eq!(values(&found, Quantity::Utilisation), [("0", 0.97)]);
    assert_eq!(values(&found, Quantity::MemoryUsed), [("GPU-c", 4000.0 * 1_048_576.0)]);
}

#[test]
fn partitions_are_told_apart() {
    let found = read(
        "dcgm",
        r#"DCGM_FI_PROF_GR_ENGINE_ACTIVE{UUID="GPU-a",GPU_I_ID="7"} 0.5
DCGM_FI_PROF_GR_ENGINE_ACTIVE{UUID="GPU-a",GPU_I_ID="8"} 0
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("GPU-a/7", 0.5), ("GPU-a/8", 0.0)]);
}

#[test]
fn opentelemetry_in_all_spellings() {
    for text in [
        "{\"hw.gpu.utilization\",\"hw.id\"=\"a\",\"k8s.pod.name\"=\"p\"} 0.5\n{\"hw.gpu.memory.usage\",\"hw.id\"=\"a\"} 7\n",
        "hw_gpu_utilization_ratio{hw_id=\"a\",k8s_pod_name=\"p\"} 0.5\nhw_gpu_memory_usage_bytes{hw_id=\"a\"} 7\n",
        "hw_gpu_utilization{hw_id=\"a\",k8s_pod_name=\"p\"} 0.5\nhw_gpu_memory_usage{hw_id=\"a\"} 7\n",
    ] {
        let found = read("opentelemetry", text);
        assert_eq!(values(&found, Quantity::Utilisation), [("a", 0.5)]);
        assert_eq!(values(&found, Quantity::MemoryUsed), [("a", 7.0)]);
        assert_eq!(found[0].pods[0].1, "p");
    }
}

#[test]
fn xpu_manager_two_speaks_opentelemetry_with_tasks() {
    let found = read(
        "opentelemetry",
        r#"hw_gpu_utilization_ratio{pci_bdf="0000:01:00.0",hw_gpu_task="all"} 0.125
hw_gpu_utilization_ratio{pci_bdf="0000:01:00.0",hw_gpu_task="copy-all"} 0.9
hw_memory_usage_bytes{pci_bdf="0000:01:00.0",hw_type="gpu"} 100
hw_memory_usage_bytes{pci_bdf="0000:01:00.0",hw_type="memory"} 900
hw_temperature_celsius{hw_id="cpu",hw_type="cpu"} 99
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("0000:01:00.0", 0.125)]);
    assert_eq!(values(&found, Quantity::MemoryUsed), [("0000:01:00.0", 100.0)]);
    assert_eq!(values(&found, Quantity::Temperature), []);
}

#[test]
fn amd_intel_and_tpu() {
    let found = read(
        "amd",
        r#"gpu_gfx_activity{gpu_id="2",gpu_uuid="u",serial_number="s",hostname="h",pod=""} 50
gpu_used_vram{gpu_id="2",gpu_uuid="u"} 1
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("u", 0.5)]);
    assert_eq!(values(&found, Quantity::MemoryUsed), [("u", 1_048_576.0)]);
    let found = read(
        "intel",
        r#"xpum_engine_ratio{uuid="u",kube_pod="p",kube_namespace="n"} 0.25
xpum_temperature_celsius{uuid="u",location="gpu"} 40
xpum_temperature_celsius{uuid="u",location="mem"} 60
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("u", 0.25)]);
    assert_eq!(values(&found, Quantity::Temperature), [("u", 40.0)]);
    // The series of the node is there for every device.
    let found = read(
        "tpu",
        r#"tensorcore_utilization{accelerator_id="1-0",pod="p",namespace="n"} 22
tensorcore_utilization_node{accelerator_id="1-0"} 22
tensorcore_utilization_node{accelerator_id="1-1"} 0
memory_used_node{accelerator_id="1-0"} 5
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("1-0", 0.22), ("1-1", 0.0)]);
}

#[test]
fn neuron_adds_the_parts_of_memory() {
    let found = read(
        "neuron",
        r#"neuroncore_utilization_ratio{neuroncore="0"} 0.1
neuroncore_memory_usage_constants{neuroncore="0"} 10
neuroncore_memory_usage_tensors{neuroncore="0"} 5
neuroncore_memory_usage_tensors{neuroncore="1"} 6
"#,
    );
    assert_eq!(values(&found, Quantity::MemoryUsed), [("0", 15.0), ("1", 6.0)]);
}

#[test]
fn cores_are_counted_as_devices_where_it_is_told_how_many_make_one() {
    let found = read(
        "neuron",
        r#"neuron_hardware_info{neuron_device_count="16",neuroncore_per_device_count="2"} 1
neuroncore_utilization_ratio{neuroncore="0"} 0.1
neuroncore_utilization_ratio{neuroncore="1"} 0.2
neuroncore_utilization_ratio{neuroncore="3"} 0.4
neuroncore_memory_usage_constants{neuroncore="0"} 10
neuroncore_memory_usage_constants{neuroncore="1"} 5
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("0", 0.2), ("1", 0.4)]);
    assert_eq!(values(&found, Quantity::MemoryUsed), [("0", 15.0)]);
}

#[test]
fn devices_that_one_name_tells_of_and_another_does_not_are_all_there() {
    let found = read(
        "tpu",
        r#"duty_cycle{accelerator_id="1-4",pod="p",namespace="n"} 42
duty_cycle{accelerator_id="1-5",pod="p",namespace="n"} 43
duty_cycle_node{accelerator_id="1-0"} 0
duty_cycle_node{accelerator_id="1-4"} 99
memory_used{accelerator_id="1-4",pod="p",namespace="n"} 1
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("1-0", 0.0), ("1-4", 0.99), ("1-5", 0.43)]);
    assert_eq!(found[1].pods, [("n".into(), "p".into())]);
}

#[test]
fn a_device_that_is_shared_names_all_who_have_it() {
    let found = read(
        "dcgm",
        r#"DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a"} 91
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",namespace="a",pod="busy"} 61
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",namespace="b",pod="less"} 30
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",namespace="b",pod="idle"} 0
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("GPU-a", 0.91)]);
    let names: Vec<&str> = found[0].pods.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["busy", "idle", "less"]);
}

#[test]
fn engines_stand_for_the_device_where_nothing_tells_of_the_whole() {
    let found = read(
        "opentelemetry",
        r#"hw_gpu_utilization_ratio{hw_id="a",hw_gpu_task="compute-single",hw_name="engine-1"} 0.9
hw_gpu_utilization_ratio{hw_id="a",hw_gpu_task="copy-single",hw_name="engine-2"} 0.1
hw_gpu_utilization_ratio{hw_id="b",hw_gpu_task="copy-single",hw_name="engine-1"} 0
"#,
    );
    assert_eq!(values(&found, Quantity::Utilisation), [("a", 0.9), ("b", 0.0)]);
}

#[test]
fn ascend_in_both_spellings_of_its_labels() {
    for text in [
        r#"npu_chip_info_utilization{id="0",vdie_id="D-0",pod_name="p",namespace="n"} 36
npu_chip_info_hbm_used_memory{id="0",vdie_id="D-0",pod_name="p",namespace="n"} 2
"#,
        r#"npu_chip_info_utilization{npuID="0",uuid="D-0",podName="p",namespace="n"} 36
npu_chip_info_hbm_used_memory{npuID="0",uuid="D-0",podName="p",namespace="n"} 2
"#,
    ] {
        let found = read("ascend", text);
        assert_eq!(values(&found, Quantity::Utilisation), [("D-0", 0.36)]);
        assert_eq!(values(&found, Quantity::MemoryUsed), [("D-0", 2_097_152.0)]);
        assert_eq!(found[0].pods, [("n".into(), "p".into())]);
    }
}

#[test]
fn what_speaks_no_dialect_is_not_recognised() {
    let found = parse("go_goroutines 7\nmy_gpu_util{gpu=\"0\"} 3\n", &Limits::default()).unwrap();
    assert_eq!(recognise(&found), None);
    assert!(readings(dialect("dcgm").unwrap(), &found).is_empty());
}

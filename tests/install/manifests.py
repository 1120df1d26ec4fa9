"""Checks rendered Kubernetes manifests: each object against the schemas of Kubernetes, and what they say of each other.

usage: manifests.py rendered.yaml
"""

import sys

try:
    import yaml
except ImportError:
    sys.exit(print("skipped: manifests (no PyYAML here)"))


def named(items):
    """Objects of a list by their names."""
    return {item["name"]: item for item in items}


def main(path):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    schemas(documents)
    kinds = {}
    for document in documents:
        kinds.setdefault(document["kind"], []).append(document)
    (workload,), (service,) = kinds["StatefulSet"], kinds["Service"]
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    labels = workload["spec"]["template"]["metadata"]["labels"]

    # Selectors meet the pod, and ports are called the same everywhere.
    (disruption,), (network,) = kinds["PodDisruptionBudget"], kinds["NetworkPolicy"]
    selectors = [
        workload["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        disruption["spec"]["selector"]["matchLabels"],
        network["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= labels.items(), f"{selector} does not select {labels}"
    assert workload["spec"]["serviceName"] == service["metadata"]["name"]
    ports = {port["name"] for port in container["ports"]}
    for port in service["spec"]["ports"]:
        assert port["targetPort"] in ports, f"the service's {port} is no port of the pod"
    for rule in network["spec"]["ingress"]:
        for port in rule["ports"]:
            assert port["port"] in ports, f"the network policy's {port} is no port of the pod"

    # Every mount has its volume, every volume its source, and nothing is mounted twice.
    claims = {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]}
    volumes = named(pod["volumes"])
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert len(mounts) == len(container["volumeMounts"])
    assert set(mounts.values()) == claims | set(volumes), f"{mounts} are not {claims} and {set(volumes)}"
    maps = {document["metadata"]["name"]: document["data"] for document in kinds["ConfigMap"]}
    for name, volume in volumes.items():
        if "configMap" in volume:
            assert volume["configMap"]["name"] in maps, f"{name}: no such ConfigMap"

    # What the config says is where the pod has it.
    config = maps[volumes["config"]["configMap"]["name"]]["lamppost.toml"]
    arguments = container["args"]
    assert arguments[arguments.index("--config") + 1] == next(p for p, v in mounts.items() if v == "config") + "/lamppost.toml"
    toml(config, mounts, container["ports"])
    contracts = maps[volumes["contracts"]["configMap"]["name"]]
    assert any(file.endswith(".toml") for file in contracts), contracts.keys()

    # One writer, and no more rights than it needs.
    assert workload["spec"]["replicas"] == 1
    own = container["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] and own["readOnlyRootFilesystem"]
    assert own["allowPrivilegeEscalation"] is False and own["capabilities"]["drop"] == ["ALL"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 3600, "recovery may take its time"
    print(f"{len(documents)} objects are right")


def toml(text, mounts, ports):
    """Folders of the config are mounts, its doors are ports."""
    import tomllib

    config = tomllib.loads(text)
    for folder, volume in [("log", "log"), ("data", "data"), ("contracts", "contracts")]:
        assert mounts.get(config[folder]) == volume, f"{folder} = {config[folder]} is not where {volume} is mounted"
    address, port = config["http"]["listen"].rsplit(":", 1)
    assert address == "0.0.0.0" and int(port) in {p["containerPort"] for p in ports if p["name"] == "http"}
    assert config["trusted_proxies"], "plain HTTP from anywhere"


def schemas(documents):
    """Each object is one that Kubernetes knows, with fields that it has."""
    try:
        import kubernetes_validate
    except ImportError:
        print("skipped: Kubernetes' own schemas (no kubernetes-validate here)")
        return
    for document in documents:
        for version in ("1.29", "1.34"):
            kubernetes_validate.validate(document, version, strict=True)


main(sys.argv[1])

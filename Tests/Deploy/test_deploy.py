"""What is in Deploy/ is valid, and works with the program: rules, dashboard, manifests, units.

WEIR names the program to test. Prometheus and Redis are the real ones.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import botocore.loaders
import botocore.model
import botocore.validate
import compose_spec
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "Deploy"
RUNBOOK = ROOT / "docs/runbook"
WEIR = os.environ["WEIR"]
PATIENCE = 30
KEYS = {"LEMLIST_API_KEY": "k", "LETTR_API_KEY": "k", "REDIS_PASSWORD": "p"}


def run(*command, **options):
    """Run a command, and return its output; a failure shows it."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def load(path):
    """Return the only document of a YAML file."""
    return yaml.safe_load(Path(path).read_text())


def free_port():
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch(url, headers=None, data=None):
    """Return status and body, whatever the status."""
    request = urllib.request.Request(url, headers=headers or {}, data=data)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def eventually(what, condition):
    """Wait until the condition gives something true, and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if result := condition():
                return result
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"waited for {what}")


class Process:
    """A program that runs during a test, with its output kept for the report of a failure."""

    def __init__(self, *command, **options):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, **options)

    def stop(self):
        """End it, in an orderly way if it takes that."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    @property
    def output(self):
        """What it has written so far."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


class PrometheusTests(unittest.TestCase):
    """Rules and scrape configurations, without a server."""

    def test_rules_are_valid_and_each_alert_fires_and_stays_silent_as_its_test_says(self):
        run("promtool", "check", "rules", DEPLOY / "prometheus/rules.yaml")
        run("promtool", "test", "rules", "rules.test.yaml", cwd=DEPLOY / "prometheus")

    def test_each_alert_has_a_test_that_it_fires_and_one_that_it_stays_silent(self):
        fires, silent = set(), set()
        for test in load(DEPLOY / "prometheus/rules.test.yaml")["tests"]:
            for check in test["alert_rule_test"]:
                (fires if check["exp_alerts"] else silent).add(check["alertname"])
        self.assertEqual(fires, set(self.alerts()))
        self.assertEqual(silent, set(self.alerts()))

    def test_each_alert_has_a_page_in_the_runbook_and_each_page_an_alert(self):
        pages = {page.stem for page in RUNBOOK.glob("*.md")} - {"README"}
        self.assertEqual(pages, set(self.alerts()))
        index = (RUNBOOK / "README.md").read_text()
        for name, rule in self.alerts().items():
            with self.subTest(name):
                self.assertEqual(rule["annotations"]["runbook"], f"docs/runbook/{name}.md")
                text = (RUNBOOK / f"{name}.md").read_text()
                self.assertEqual(re.findall(r"^#+ .*", text, re.M), [f"# {name}", "## Meaning", "## Check", "## Do"])
                self.assertIn(f"| [{name}]({name}.md) | {rule['labels']['severity']} |", index)

    def test_the_scrape_configurations_are_valid(self):
        for file in ["prometheus/scrape.yaml", "compose/prometheus.yml"]:
            with self.subTest(file), tempfile.TemporaryDirectory() as folder:
                config = load(DEPLOY / file)
                for job in config["scrape_configs"]:
                    # Debian's Prometheus knows no Kubernetes.
                    job.pop("kubernetes_sd_configs", None)
                # As compose.yaml mounts them: side by side.
                (Path(folder) / "config.yaml").write_text(yaml.safe_dump(config))
                (Path(folder) / "rules.yaml").write_bytes((DEPLOY / "prometheus/rules.yaml").read_bytes())
                run("promtool", "check", "config", Path(folder) / "config.yaml")

    @staticmethod
    def alerts():
        """Return the rules by their names."""
        groups = load(DEPLOY / "prometheus/rules.yaml")["groups"]
        return {rule["alert"]: rule for group in groups for rule in group["rules"]}


class LoadedWeir:
    """Weir with the sandbox and a shared ledger under mixed load, and a Prometheus that scrapes it."""

    # Method, path, header fields, body: successes, errors of each kind, and requests that must wait.
    REQUESTS = [
        ("GET", "/lemlist/team", {}, None),
        ("GET", "/lemlist/campaigns", {}, None),
        ("GET", "/lemlist/nowhere", {}, None),
        ("POST", "/lettr/emails", {"Content-Type": "application/json"}, b"{}"),
        ("GET", "/lettr/templates", {"Prefer": "wait=0"}, None),
        ("GET", "/raw/teapot", {}, None),
        ("GET", "/gone/x", {}, None),
        ("GET", "/unknown/x", {}, None),
    ]

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.processes = []
        self.stopping = threading.Event()
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        """Start everything, and wait until Prometheus has scraped Weir several times under load."""
        folder = Path(self.folder.name)
        weir, sandbox, provider, prometheus = (free_port() for _ in range(4))
        self.add("redis-server", "--port", 0, "--unixsocket", folder / "redis", "--save", "", "--dir", folder)
        self.add(WEIR, "sandbox", "--listen", f"127.0.0.1:{sandbox}")
        (folder / "teapot.py").write_text(TEAPOT)
        self.add("python3", folder / "teapot.py", provider)
        (folder / "weir.yaml").write_text(f"""
listen: 127.0.0.1:{weir}
replicas: 1
ledger: redis+unix://{folder}/redis
providers:
  lemlist: {{ upstream: http://127.0.0.1:{sandbox}/lemlist/api, retries: {{ max: 1, on: [connection] }} }}
  lettr: {{ upstream: http://127.0.0.1:{sandbox}/lettr/api, max_wait: 1s }}
  raw: {{ profile: generic, upstream: http://127.0.0.1:{provider} }}
  gone: {{ profile: generic, upstream: http://127.0.0.1:{free_port()} }}
""")
        eventually("Redis", lambda: (folder / "redis").exists())
        self.add(WEIR, "run", "--config", folder / "weir.yaml")
        self.url = f"http://127.0.0.1:{weir}"
        eventually("Weir", lambda: fetch(self.url + "/readyz")[0] == 200)
        (folder / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: 1s }}
scrape_configs: [{{ job_name: weir, static_configs: [{{ targets: ['127.0.0.1:{weir}'] }}] }}]
""")
        self.add(
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{prometheus}")
        self.prometheus = f"http://127.0.0.1:{prometheus}"
        self.clients = [
            threading.Thread(target=self.send, args=request, daemon=True) for request in self.REQUESTS for _ in "ab"]
        for client in self.clients:
            client.start()
        # Rates over 10 s need several scrapes under load.
        eventually("scrapes under load", lambda: float(self.value(
            "sum(count_over_time(weir_build_info[20s]))") or 0) >= 8)

    def add(self, *command):
        """Start a program that ends with this object."""
        self.processes.append(Process(*command))

    def send(self, method, path, headers, body):
        """Send a request again and again."""
        headers = {"Authorization": "Bearer lttr_sandbox_demo" if "lettr" in path else "Basic OmRlbW8=", **headers}
        while not self.stopping.wait(0.1):
            try:
                fetch(self.url + path, headers, body)
            except OSError:
                pass

    def query(self, expression):
        """Return what Prometheus says now."""
        status, body = fetch(f"{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(body)
        if status != 200:
            raise AssertionError(f"{expression}: {answer['error']}")
        return answer["data"]["result"]

    def value(self, expression):
        """Return the first value, or None."""
        result = self.query(expression)
        return result[0]["value"][1] if result else None

    def stop(self):
        """End everything."""
        self.stopping.set()
        for process in reversed(self.processes):
            process.stop()
        self.folder.cleanup()


# A provider whose errors no rule of `generic` matches.
TEAPOT = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b'{"teapot": {"short": true}}'
        self.send_response(418)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class DashboardTests(unittest.TestCase):
    """The dashboard's queries, asked of a real Prometheus."""

    # Units of Grafana that the panels use.
    UNITS = {"short", "s", "reqps", "percentunit", "bytes", "Bps", "cps"}

    @classmethod
    def setUpClass(cls):
        cls.weir = LoadedWeir()
        cls.addClassCleanup(cls.weir.stop)

    def panels(self):
        """Return the panels that show something."""
        dashboard = json.loads((DEPLOY / "grafana/weir.json").read_text())
        return [panel for panel in dashboard["panels"] if panel["type"] != "row"]

    def test_each_query_returns_data(self):
        for panel in self.panels():
            for target in panel["targets"]:
                with self.subTest(panel["title"], query=target["expr"]):
                    expression = self.resolved(target["expr"])
                    # $1 is a group of label_replace.
                    self.assertEqual(set(re.findall(r"\$\w*", expression)) - {"$1"}, set())
                    result = eventually(f"data of {expression}", lambda: self.weir.query(expression))
                    values = [float(series["value"][1]) for series in result]
                    self.assertTrue(any(value == value for value in values), "only NaN")
                    for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                        self.assertTrue(all(label in series["metric"] for series in result), f"no label {label}")

    def test_what_happens_under_load_is_seen(self):
        for origin in ["provider", "network", "proxy"]:
            with self.subTest(origin=origin):
                eventually("errors", lambda: float(self.weir.value(
                    f'sum(rate(weir_errors_total{{origin="{origin}"}}[10s]))') or 0) > 0)
        eventually("unmapped errors", lambda: float(self.weir.value(
            'sum(rate(weir_unmapped_errors_total{provider="raw"}[10s]))') or 0) > 0)
        eventually("the ledger", lambda: self.weir.value("weir_ledger_up") == "1")

    def test_variables_find_their_values(self):
        for label, series in [
            ("job", "weir_build_info"), ("instance", "weir_build_info"), ("provider", "weir_requests_in_flight"),
        ]:
            with self.subTest(label):
                self.assertTrue(all(label in result["metric"] for result in self.weir.query(series)))

    def test_each_panel_has_a_unit_a_title_and_a_place_of_its_own(self):
        places = set()
        for panel in self.panels():
            with self.subTest(panel["title"]):
                self.assertIn(panel["fieldConfig"]["defaults"]["unit"], self.UNITS)
                place = panel["gridPos"]
                cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                         for y in range(place["y"], place["y"] + place["h"])}
                self.assertTrue(all(x < 24 for x, _ in cells))
                self.assertFalse(cells & places)
                places |= cells
                if panel["type"] == "timeseries":
                    self.assertTrue(all(target["legendFormat"] for target in panel["targets"]))

    def test_rules_and_dashboard_use_metrics_that_exist(self):
        names = set(re.findall(r"^# TYPE (\S+)", fetch(self.weir.url + "/metrics")[1].decode(), re.M))
        used = [target["expr"] for panel in self.panels() for target in panel["targets"]]
        used += [rule["expr"] for rule in PrometheusTests.alerts().values()]
        for name in set(re.findall(r"\b(?:weir|process)_[a-z_]+", " ".join(used))):
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), names)

    @staticmethod
    def resolved(expression):
        """Replace what Grafana replaces."""
        for name, value in [("job", ".*"), ("instance", ".*"), ("provider", ".*"), ("__rate_interval", "10s"),
                            ("__range", "1m")]:
            expression = re.sub(rf"\${name}\b", value, expression)
        return expression


class KubernetesTests(unittest.TestCase):
    """The manifests, as `kubectl kustomize` puts them together."""

    # From the first version with native sidecars by default, to the newest that is known.
    VERSIONS = ["1.29", kubernetes_validate.latest_version()]

    def test_each_overlay_is_valid_in_all_versions_with_native_sidecars(self):
        for overlay in ["plain", "shared-ledger"]:
            for resource in self.build(DEPLOY / "kubernetes/overlays" / overlay):
                for version in self.VERSIONS:
                    with self.subTest(overlay, resource=resource["kind"], version=version):
                        kubernetes_validate.validate(resource, version, strict=True)

    def test_an_unknown_key_is_found(self):
        resource = self.build(DEPLOY / "kubernetes/overlays/plain")[0]
        resource["spec"]["template"]["spec"]["initContainers"][0]["restartpolicy"] = "Always"
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(resource, self.VERSIONS[0], strict=True)

    def test_each_configuration_is_valid_and_the_pod_provides_what_it_names(self):
        for overlay in ["plain", "shared-ledger"]:
            with self.subTest(overlay):
                resources = self.build(DEPLOY / "kubernetes/overlays" / overlay)
                config = next(r for r in resources if r["kind"] == "ConfigMap")
                app = next(r for r in resources if r["metadata"]["name"] == "app")
                pod = app["spec"]["template"]["spec"]
                sidecar = pod["initContainers"][0]
                self.assertEqual(pod["volumes"][0]["configMap"]["name"], config["metadata"]["name"])
                self.assertEqual(sidecar["args"][2], sidecar["volumeMounts"][0]["mountPath"] + "/weir.yaml")
                self.assertGreaterEqual(
                    yaml.safe_load(config["data"]["weir.yaml"])["replicas"], app["spec"]["replicas"])
                environment = {entry["name"]: entry["value"] for entry in sidecar["env"]}
                self.assertEqual(environment["WEIR_LISTEN"], "127.0.0.1:8080")
                self.assertEqual(environment["WEIR_ADMIN_LISTEN"], f"0.0.0.0:{sidecar['ports'][0]['containerPort']}")
                with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(config["data"]["weir.yaml"])
                    file.flush()
                    run(WEIR, "check", file.name, env={**os.environ, **KEYS})

    def build(self, folder):
        """Build a kustomization out of the parts that ours use."""
        plan = load(folder / "kustomization.yaml")
        known = {"apiVersion", "kind", "resources", "replicas", "configMapGenerator", "generatorOptions"}
        self.assertLessEqual(set(plan), known)
        resources = []
        for name in plan["resources"]:
            path = folder / name
            resources += self.build(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))
        for change in plan.get("replicas", []):
            [target] = [r for r in resources if r["kind"] == "Deployment" and r["metadata"]["name"] == change["name"]]
            target["spec"]["replicas"] = change["count"]
        for generator in plan.get("configMapGenerator", []):
            self.assertEqual(plan["generatorOptions"], {"disableNameSuffixHash": True})
            data = {name: (folder / name).read_text() for name in generator["files"]}
            resources.append(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
        return resources


class ComposeTests(unittest.TestCase):
    """The compose file and what it mounts."""

    def test_the_compose_file_is_valid_and_has_no_unknown_key(self):
        compose = load(DEPLOY / "compose/compose.yaml")
        compose_spec.ComposeSpecification.model_validate(compose)
        self.assertLessEqual(set(compose), set(compose_spec.ComposeSpecification.model_fields))
        for name, service in compose["services"].items():
            with self.subTest(name):
                self.assertLessEqual(set(service), set(compose_spec.Service.model_fields))

    def test_each_file_that_is_mounted_exists_and_published_ports_are_on_loopback(self):
        compose = load(DEPLOY / "compose/compose.yaml")
        for name, service in compose["services"].items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                with self.subTest(name, volume=volume):
                    self.assertTrue(source in compose["volumes"] or (DEPLOY / "compose" / source).is_file())
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), port)

    def test_its_configuration_is_valid_and_names_its_services(self):
        run(WEIR, "check", DEPLOY / "compose/weir.yaml")
        services = load(DEPLOY / "compose/compose.yaml")["services"]
        for provider in load(DEPLOY / "compose/weir.yaml")["providers"].values():
            self.assertIn(urllib.parse.urlsplit(provider["upstream"]).hostname, services)
        # Prometheus reaches the admin paths under the service's name.
        [target] = load(DEPLOY / "compose/prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
        self.assertEqual(load(DEPLOY / "compose/weir.yaml")["hosts"], [target.split(":")[0]])


class ECSTests(unittest.TestCase):
    """The task definition."""

    def problems(self, task):
        """Return what the API would reject in the form of a task definition."""
        service = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"))
        shape = service.operation_model("RegisterTaskDefinition").input_shape
        return botocore.validate.ParamValidator().validate(task, shape).generate_report()

    def test_the_task_definition_has_the_form_that_the_API_takes(self):
        task = json.loads((DEPLOY / "ecs/task-definition.json").read_text())
        self.assertEqual(self.problems(task), "")
        task["containerDefinitions"][0]["Image"] = "weir"
        self.assertIn("Image", self.problems(task))

    def test_the_app_waits_for_weir(self):
        weir, app = json.loads((DEPLOY / "ecs/task-definition.json").read_text())["containerDefinitions"]
        self.assertEqual(app["dependsOn"], [{"containerName": weir["name"], "condition": "HEALTHY"}])
        self.assertGreater(weir["stopTimeout"], 25)


class SystemdTests(unittest.TestCase):
    """The unit, and what Weir tells the service manager."""

    UNIT = DEPLOY / "systemd/weir.service"

    def test_the_unit_is_hardened(self):
        report = run("systemd-analyze", "security", "--offline=true", self.UNIT)
        exposure = float(re.search(r"Overall exposure level for \S+ ([0-9.]+)", report).group(1))
        self.assertLessEqual(exposure, 2.0, report)

    def test_its_configuration_is_valid(self):
        run(WEIR, "check", DEPLOY / "systemd/weir.yaml")

    def test_each_directive_is_known_to_systemd(self):
        with tempfile.TemporaryDirectory() as folder:
            # The program is not installed here.
            unit = Path(folder) / "weir.service"
            unit.write_text(self.UNIT.read_text().replace("/usr/bin/weir", os.path.realpath(WEIR)))
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)], capture_output=True,
                text=True, timeout=60)
            ours = [line for line in done.stderr.splitlines() if "weir.service" in line]
            self.assertEqual(ours, [])

    def test_weir_reports_that_it_is_ready_reloads_and_stops(self):
        for abstract in [False, True]:
            with self.subTest(abstract=abstract), tempfile.TemporaryDirectory() as folder, \
                    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                name = f"{folder}/notify"
                manager.bind("\0" + name if abstract else name)
                manager.settimeout(PATIENCE)
                config = Path(folder) / "weir.yaml"
                config.write_text(f"listen: unix:{folder}/weir\n")
                weir = Process(
                    WEIR, "run", "--config", config,
                    env={**os.environ, "NOTIFY_SOCKET": ("@" if abstract else "") + name})
                self.addCleanup(weir.stop)

                def told():
                    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())

                self.assertEqual(told(), {"READY": "1", "STATUS": f"Listening on unix:{folder}/weir"})
                # A mistake in the file leaves Weir ready: the old configuration stays in force.
                config.write_text("listen: nowhere\n")
                weir.process.send_signal(signal.SIGHUP)
                reloading = told()
                self.assertEqual(reloading.pop("RELOADING"), "1")
                self.assertLessEqual(int(reloading.pop("MONOTONIC_USEC")), time.monotonic_ns() // 1000)
                self.assertEqual(told()["READY"], "1")
                weir.process.send_signal(signal.SIGTERM)
                self.assertEqual(told()["STOPPING"], "1")
                self.assertEqual(weir.process.wait(PATIENCE), 0)

    def test_an_address_that_nobody_has_is_no_obstacle(self):
        for address in ["/nowhere/notify", "@nobody", "notify", "", "@", "/" + "x" * 200]:
            with self.subTest(address), tempfile.TemporaryDirectory() as folder:
                weir = Process(
                    WEIR, "run", "--listen", f"unix:{folder}/weir", env={**os.environ, "NOTIFY_SOCKET": address})
                self.addCleanup(weir.stop)
                eventually("the socket", lambda: (Path(folder) / "weir").exists())
                weir.process.send_signal(signal.SIGTERM)
                self.assertEqual(weir.process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()

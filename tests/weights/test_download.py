"""From names to files: the hub's listing, the cache's layout, offline, errors, tokens."""

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.options import RUN, from_keywords, parse
from llamaspec.weights import part as parts
from llamaspec.weights import transfer
from llamaspec.weights.cache import PART, HubCache, hub_root, url_root
from llamaspec.weights.download import Downloads, with_files
from llamaspec.weights.hub import HubName

from .fake_hub import COMMIT, TOKEN, gguf

SMALL, LARGE, FIRST, SECOND = gguf("small"), gguf("large", 9000), gguf("part1"), gguf("part2")
FILES = {
    "README.md": b"hello", "M-Q4_K_M.gguf": SMALL, "M-Q8_0.gguf": LARGE, "mmproj-F16.gguf": gguf("eye"),
    "deep/M-F16-00001-of-00002.gguf": FIRST, "deep/M-F16-00002-of-00002.gguf": SECOND, "mtp-M-Q8_0.gguf": gguf("head"),
}  # fmt: skip


@pytest.fixture
def env(hub, tmp_path):
    hub.put("u/M", dict(FILES))
    return {"HOME": str(tmp_path), "HF_ENDPOINT": hub.url, "LLAMA_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def get(env, watch, monkeypatch):
    """get("u/M:Q8_0", **words) -> the path."""
    monkeypatch.setattr(transfer, "LONGEST_PAUSE", 0)

    def run(name, token="", offline=False, **words):
        return Downloads(env, watch, token, offline).model(HubName.parse(name), **words)

    return run


def test_the_default_quantisation_in_the_hubs_layout(get, env):
    path = get("u/M")
    folder = f"{env['LLAMA_CACHE']}/models--u--M"
    assert str(path) == f"{folder}/snapshots/{COMMIT}/M-Q4_K_M.gguf"
    assert path.read_bytes() == SMALL
    assert os.readlink(path) == f"../../blobs/{hashlib.sha256(SMALL).hexdigest()}"
    assert Path(folder, "refs", "main").read_text() == COMMIT


def test_huggingface_hub_finds_what_was_downloaded(get, env):
    from huggingface_hub import try_to_load_from_cache

    path = get("u/M:Q8_0")
    assert try_to_load_from_cache("u/M", "M-Q8_0.gguf", cache_dir=env["LLAMA_CACHE"]) == str(path)


def test_what_snapshot_download_fetched_is_found(env, watch):
    cache = HubCache(hub_root(env))
    blob = cache.blob("u/M", "abc")
    blob.parent.mkdir(parents=True)
    blob.write_bytes(SMALL)
    place = cache.link("u/M", "c0ffee", "UD/M-UD-Q2_K_XL.gguf", "abc")
    cache.remember("u/M", "c0ffee")
    found = Downloads(env, watch, no_network=True).model(HubName.parse("u/M:UD-Q2_K_XL"))
    assert (found, found.read_bytes()) == (place, SMALL)


def test_all_parts_of_a_split_file(get):
    path = get("u/M:F16")
    assert path.read_bytes() == FIRST
    assert path.with_name("M-F16-00002-of-00002.gguf").read_bytes() == SECOND


def test_a_second_time_only_the_listing_is_asked_for(get, hub):
    get("u/M")
    hub.asked.clear()
    get("u/M")
    assert hub.gets() == ["/api/models/u/M"]


def test_an_exact_file(get):
    assert get("u/M:Q4_K_M", file="M-Q8_0.gguf").read_bytes() == LARGE


def test_offline_asks_nobody(get, hub, env):
    get("u/M")
    hub.asked.clear()
    assert get("u/M", offline=True).read_bytes() == SMALL
    with pytest.raises(LlamaspecError, match=r"u/M:Q8_0 is not in the cache .*it has Q4_K_M") as raised:
        get("u/M:Q8_0", offline=True)
    assert "--offline" in raised.value.hint
    env["HF_HUB_OFFLINE"] = "1"
    assert get("u/M").read_bytes() == SMALL
    with pytest.raises(LlamaspecError, match="u/other is not in the cache"):
        get("u/other")
    assert hub.asked == []


def test_a_hub_that_does_not_answer_is_replaced_by_the_cache(get, hub, watch):
    get("u/M")
    hub.faults["*"] = ["status 503"] * 9
    assert get("u/M").read_bytes() == SMALL
    assert "using what is downloaded already" in watch.lines[-1]
    with pytest.raises(LlamaspecError, match="503"):
        get("u/other")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("u/none", "u/none does not exist, or is private or gated (401)", "HF_TOKEN"),
        ("u/gated", "u/gated is gated or private", "https://huggingface.co/u/gated"),
        ("u/M:Q3_K", "no file for the quantisation 'Q3_K'", "it has Q4_K_M, Q8_0, F16"),
    ],
)
def test_errors_of_the_hub(get, hub, name, message, hint):
    hub.put("u/gated", {"a.gguf": SMALL})
    hub.gated.add("u/gated")
    with pytest.raises(LlamaspecError) as raised:
        get(name)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_too_many_requests(get, hub):
    hub.faults["*"] = ["status 429 Retry-After=77"]
    with pytest.raises(LlamaspecError, match="too many requests") as raised:
        get("u/M")
    assert raised.value.hint == "try again in 77 seconds; with HF_TOKEN set the limit is higher"


def test_a_token_opens_private_models_and_stays_with_the_hub(get, hub, env, watch):
    hub.private.add("u/M")
    env["HF_TOKEN"] = TOKEN
    assert get("u/M").read_bytes() == SMALL
    sent = {path.split("/")[1]: headers.get("Authorization") for _, path, headers in hub.asked}
    assert sent == {"api": f"Bearer {TOKEN}", "u": f"Bearer {TOKEN}", "cdn": None}
    hub.gated.add("u/M")
    with pytest.raises(LlamaspecError, match="gated") as raised:
        Downloads({**env, "LLAMA_CACHE": env["HOME"] + "/x"}, watch).model(HubName.parse("u/M"))
    assert TOKEN not in str(raised.value) + raised.value.hint


def test_the_token_of_the_command_line_wins_and_is_never_shown(get, hub, env):
    hub.private.add("u/M")
    env["HF_TOKEN"] = "hf_wrong"
    assert get("u/M", token=TOKEN).read_bytes() == SMALL
    assert TOKEN not in repr(from_keywords("m", hf_token=TOKEN).model)
    assert TOKEN not in repr(Downloads(env, None, TOKEN).hub)


@pytest.mark.parametrize("token", ["a\nb", "a b", "tökén"])
def test_a_token_that_cannot_be_sent_is_not(env, watch, token):
    assert Downloads({**env, "HF_TOKEN": token}, watch).hub.headers == {}


def test_a_file_that_breaks_off_is_not_shown(get, hub, env):
    digest = hashlib.sha256(SECOND).hexdigest()
    hub.faults[f"/cdn/{digest}"] = ["wrong"]
    with pytest.raises(LlamaspecError, match="SHA-256"):
        get("u/M:F16")
    assert not (HubCache(hub_root(env)).folder("u/M") / "snapshots").exists()
    assert get("u/M:F16").read_bytes() == FIRST


def test_the_space_of_all_parts_is_asked_first(get, hub, monkeypatch):
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda folder: SimpleNamespace(free=7999))
    with pytest.raises(LlamaspecError, match=r"not enough disk space .*: 7\.8 KiB are needed") as raised:
        get("u/M:F16")
    assert "LLAMA_CACHE" in raised.value.hint
    assert hub.gets("resolve") == []


@pytest.mark.parametrize("name", ["../../evil.gguf", "/etc/evil.gguf", "a/../../evil.gguf", "a\\..\\evil.gguf"])
def test_a_listing_cannot_name_files_elsewhere(get, hub, name, tmp_path):
    hub.put("u/evil", {name: SMALL})
    with pytest.raises(LlamaspecError, match="outside its own folder"):
        get("u/evil")
    assert not list(tmp_path.rglob("evil.gguf"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id": "u/M", "sha": "x/../y", "siblings": []}'])
def test_a_listing_that_is_none(get, hub, body):
    hub.lies["body", "u/M"] = body
    with pytest.raises(LlamaspecError) as raised:
        get("u/M")
    assert "gives no readable list of the files of u/M" in raised.value.message


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("size", 3999, "4,000 bytes, 3,999 were announced"),
        ("size", 4001, "4,000 bytes, 4,001 were announced"),
        ("size", 10**30, "not enough disk space"),
        ("sha256", "0" * 64, "SHA-256"),
    ],
)
def test_a_listing_that_lies(get, hub, env, what, value, message):
    hub.lies[what, "M-Q4_K_M.gguf"] = value
    with pytest.raises(LlamaspecError, match=message):
        get("u/M")
    assert HubCache(hub_root(env)).models() == []


@pytest.mark.parametrize(("what", "value"), [("size", -1), ("size", None), ("sha256", "short"), ("sha256", "../" * 22)])
def test_a_listing_that_says_too_little(get, hub, what, value):
    hub.lies[what, "M-Q4_K_M.gguf"] = value
    assert get("u/M").read_bytes() == SMALL


def test_a_page_in_place_of_a_model_is_refused(get, hub):
    hub.put("u/M", {"M-Q8_0.gguf": b"<html>login</html>"})
    with pytest.raises(LlamaspecError, match="not a GGUF file"):
        get("u/M")


def test_a_model_that_cannot_be_run_is_refused_before_it_is_fetched(get, hub, watch):
    hub.architecture["u/M"] = "warp-drive"
    with pytest.raises(LlamaspecError, match="'warp-drive', which is not supported yet"):
        get("u/M")
    assert hub.gets("resolve") == []
    assert get("u/M", only_fetch=True).read_bytes() == SMALL
    hub.architecture["u/M"] = "llama"
    assert get("u/M").read_bytes() == SMALL


def test_companions_are_offered(get, watch):
    get("u/M")
    assert watch.lines[-2].startswith("u/M also has a draft head, mtp-M-Q8_0.gguf (3.9 KiB): ")
    assert "image projector is not downloaded" in watch.lines[-1]


def test_hf_transfer_is_switched_by_its_variable(get, env, hub):
    pytest.importorskip("hf_transfer")
    env["HF_HUB_ENABLE_HF_TRANSFER"] = "1"
    assert get("u/M:Q8_0").read_bytes() == LARGE
    assert [headers.get("Range") for _, path, headers in hub.asked if "cdn" in path][-1].startswith("bytes=0-")


@pytest.mark.parametrize(
    ("variables", "hub", "url"),
    [
        ({}, "/h/.cache/huggingface/hub", "/h/.cache/llama.cpp"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub", "/x/llama.cpp"),
        ({"HF_HOME": "/hf", "XDG_CACHE_HOME": "/x"}, "/hf/hub", "/x/llama.cpp"),
        ({"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/hf"}, "/old", "/h/.cache/llama.cpp"),
        ({"HF_HUB_CACHE": "/c", "HUGGINGFACE_HUB_CACHE": "/old"}, "/c", "/h/.cache/llama.cpp"),
        ({"LLAMA_CACHE": "/l", "HF_HUB_CACHE": "/c"}, "/l", "/l"),
    ],
)
def test_cache_folders(variables, hub, url):
    found = {"HOME": "/h", **variables}
    assert (str(hub_root(found)), str(url_root(found))) == (hub, url)


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.fixture
def url(hub, env, watch):
    def run(path, **words):
        return Downloads(env, watch, **words).url(hub.url + path)

    return run


def test_a_model_url(url, hub, env):
    hub.files["/x/a model.gguf"] = SMALL
    path = url("/x/a%20model.gguf?download=true")
    assert str(path) == f"{env['LLAMA_CACHE']}/a model.gguf"
    assert path.read_bytes() == SMALL
    hub.asked.clear()
    url("/x/a%20model.gguf?download=true")
    assert [method for method, _, _ in hub.asked] == ["HEAD"]


def test_a_newer_file_replaces_the_old_one(url, hub, env):
    hub.files["/a.gguf"] = SMALL
    path = url("/a.gguf")
    hub.files["/a.gguf"] = LARGE
    assert url("/a.gguf") == path
    assert path.read_bytes() == LARGE
    assert sorted(os.listdir(env["LLAMA_CACHE"])) == ["a.gguf", "a.gguf.etag"]


def test_a_server_that_is_gone_or_says_nothing_leaves_the_file(url, hub, watch):
    hub.files["/a.gguf"] = SMALL
    path = url("/a.gguf")
    hub.faults["/a.gguf"] = ["status 500"]
    assert url("/a.gguf") == path
    assert "using the one here" in watch.lines[-1]
    assert url("/a.gguf", no_network=True) == path
    with pytest.raises(LlamaspecError, match=r"b\.gguf is not downloaded"):
        url("/b.gguf", no_network=True)


def test_all_parts_of_a_url(url, hub):
    hub.files |= {"/a-00001-of-00002.gguf": FIRST, "/a-00002-of-00002.gguf": SECOND}
    assert url("/a-00001-of-00002.gguf").with_name("a-00002-of-00002.gguf").read_bytes() == SECOND


def test_a_page_of_the_hub_means_its_file(url, hub):
    hub.files["/u/m/resolve/main/a.gguf"] = SMALL
    assert url("/u/m/blob/main/a.gguf").read_bytes() == SMALL


@pytest.mark.parametrize("path", ["/", "/..", "/a%2f..%2f..%2fetc%2fpasswd%00"])
def test_addresses_without_a_file_name(url, path):
    with pytest.raises((UsageError, LlamaspecError)):
        url(path)


# -- groups -----------------------------------------------------------------------------------------------------------


def test_flags_become_files(env, watch):
    groups = with_files(parse(RUN, ["-hf", "u/M:Q8_0", "-hfd", "u/M:Q4_K_M"], {}, ()), watch, env)
    assert groups.model.model.endswith("M-Q8_0.gguf")
    assert groups.model.model_draft.endswith("mtp-M-Q8_0.gguf")
    assert groups.model.hf_repo == ""


def test_the_last_of_several_models_counts_and_says_so():
    groups = parse(RUN, ["-hf", "u/M", "-m", "x.gguf"], {}, ())
    assert (groups.model.model, groups.model.hf_repo) == ("x.gguf", "")
    assert [note.text for note in groups.notes] == ["-hf is ignored, -m is used"]
    assert parse(RUN, ["-hf", "u/M"], {"LLAMA_ARG_MODEL": "x"}, ()).model.hf_repo == "u/M"


def test_a_file_without_a_repository_is_an_error(env, watch):
    with pytest.raises(UsageError, match="--hf-file"):
        with_files(parse(RUN, ["-m", "x", "-hff", "a.gguf"], {}, ()), watch, env)


def test_presets_name_their_models():
    groups = parse(RUN, ["--fim-qwen-7b-spec"], {}, ())
    assert groups.model.hf_repo == "ggml-org/Qwen2.5-Coder-7B-Q8_0-GGUF"
    assert groups.model.hf_repo_draft == "ggml-org/Qwen2.5-Coder-0.5B-Q8_0-GGUF"
    groups = parse(RUN, ["--gpt-oss-20b-default"], {}, ())
    assert (groups.model.hf_repo, groups.sampling.temp, groups.sampling.top_k) == ("ggml-org/gpt-oss-20b-GGUF", 1.0, 0)


# -- the cache --------------------------------------------------------------------------------------------------------


def test_listing_and_removing(get, env):
    get("u/M"), get("u/M:F16")
    cache = HubCache(hub_root(env))
    assert [(str(model.name), model.size, len(model.files)) for model in cache.models()] == [
        ("u/M:Q4_K_M", len(SMALL), 1), ("u/M:F16", 8000, 2),
    ]  # fmt: skip
    split = cache.models()[1]
    assert cache.remove(split) == 8000
    assert [str(model.name) for model in cache.models()] == ["u/M:Q4_K_M"]
    assert len(os.listdir(cache.folder("u/M") / "blobs")) == 1
    assert cache.remove(cache.models()[0]) == len(SMALL)
    assert not cache.folder("u/M").exists()


def test_removing_leaves_blobs_that_another_snapshot_shows_and_files_outside(get, env, tmp_path):
    path = get("u/M")
    cache = HubCache(hub_root(env))
    cache.link("u/M", "c0ffee", "other-name.gguf", os.path.basename(os.readlink(path)))
    outside = tmp_path / "precious.gguf"
    outside.write_bytes(SMALL)
    (path.parent / "linked-Q8_0.gguf").symlink_to(outside)
    for model in cache.models():
        if "other" not in str(model.files[0]):
            cache.remove(model)
    assert outside.exists()
    assert (cache.folder("u/M") / "snapshots" / "c0ffee" / "other-name.gguf").read_bytes() == SMALL


def test_a_split_file_with_a_missing_part_is_incomplete(get, env):
    get("u/M:F16").with_name("M-F16-00002-of-00002.gguf").unlink()
    assert [model.complete for model in HubCache(hub_root(env)).models()] == [False]


def test_unfinished_downloads_are_known(get, hub, env):
    digest = hashlib.sha256(LARGE).hexdigest()
    hub.faults[f"/cdn/{digest}"] = ["cut 100"] + ["cut 0"] * 9
    with pytest.raises(LlamaspecError, match="connection ended"):
        get("u/M:Q8_0")
    names = [path.name for path in HubCache(hub_root(env)).unfinished()]
    assert names == [digest + PART, digest + PART + ".etag"]


def test_no_links_no_problem(get, env, monkeypatch):
    def forbidden(self, target):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.symlink_to", forbidden)
    assert get("u/M").read_bytes() == SMALL
    assert get("u/M", offline=True).read_bytes() == SMALL
    assert get("u/M").read_bytes() == SMALL

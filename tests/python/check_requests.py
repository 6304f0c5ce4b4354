"""Holds our requests, and the stub's answers, against the vendors' own Python clients.

usage: check_requests.py REQUESTS.json STUB

REQUESTS.json lists what our clients sent, as `{"path", "body"}`. Every body must be valid for the types of
`google-genai` (pydantic, unknown fields forbidden) or `openai` (TypedDicts, unknown fields forbidden here). STUB is
the address of the running stub: both vendors' clients then ask it the same questions, validate what it answers with
their own types, and read the same text out of it as ours do.
"""

import io
import json
import sys

import openai
import pydantic
from google import genai
from google.genai import types
from openai.types import BatchCreateParams
from openai.types.chat import completion_create_params
from openai.types.image_generate_params import ImageGenerateParamsNonStreaming

ANSWER = '{"notes":"two images","choice":"tie"}'
KEY = "secret-key"

CHAT = pydantic.TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming)
BATCH = pydantic.TypeAdapter(BatchCreateParams)
IMAGE = pydantic.TypeAdapter(ImageGenerateParamsNonStreaming)


def no_unknown(given, read, where=""):
    """pydantic drops keys that a TypedDict does not have: each key that was given must have been read.

    Lists are read lazily by pydantic, so walking through them is also what validates their items.
    """
    if isinstance(given, dict) and isinstance(read, dict):
        assert set(given) <= set(read), f"{where}: {sorted(set(given) - set(read))} is unknown"
        for key in given:
            no_unknown(given[key], read[key], f"{where}.{key}")
    elif isinstance(given, list):
        for index, pair in enumerate(zip(given, list(read), strict=True)):
            no_unknown(*pair, f"{where}[{index}]")


def check_openai_chat(body):
    no_unknown(body, CHAT.validate_python(body), "chat")
    schema = body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["notes", "choice"], schema


def check_gemini(body):
    """The body of `generateContent` is two models of the client: contents, and the fields of its config."""
    assert set(body) <= {"systemInstruction", "contents", "generationConfig"}, body.keys()
    types.Content.model_validate(body["systemInstruction"])
    for content in body["contents"]:
        types.Content.model_validate(content)
    types.GenerationConfig.model_validate(body["generationConfig"])
    config = types.GenerateContentConfig.model_validate(
        {**body["generationConfig"], "systemInstruction": body["systemInstruction"]}
    )
    assert list(config.response_json_schema["properties"]) == ["notes", "choice"], config
    return config


def check_requests(requests):
    """Counts the requests that were checked, and gives the last full Gemini body."""
    n_checked, gemini = 0, None
    for request in requests:
        path, body = request["path"], request["body"]
        if path.endswith(":generateContent"):
            gemini = json.loads(body)
            check_gemini(gemini)
        elif path.endswith(":batchGenerateContent"):
            batch = json.loads(body)["batch"]
            assert set(batch) == {"displayName", "inputConfig"}, batch
            source = batch["inputConfig"]
            if "fileName" in source:
                assert source["fileName"].startswith("files/"), source
            for item in source.get("requests", {}).get("requests", []):
                assert set(item) == {"metadata", "request"}, item
                inner = item["request"]
                types.InlinedRequest.model_validate(
                    {"contents": inner["contents"], "metadata": item["metadata"], "config": check_gemini(inner)}
                )
        elif path.endswith("?upload_id=secret"):
            for line in map(json.loads, body.splitlines()):
                assert set(line) == {"key", "request"}, line
                check_gemini(line["request"])
        elif path == "/upload/v1beta/files":
            types.File.model_validate(json.loads(body)["file"])
        elif path == "/v1/chat/completions":
            check_openai_chat(json.loads(body))
        elif path == "/v1/batches":
            no_unknown(json.loads(body), BATCH.validate_python(json.loads(body)), "batch")
        elif path == "/v1/files":
            lines = [line for line in body.splitlines() if line.startswith("{")]
            assert lines, body
            for line in map(json.loads, lines):
                assert set(line) == {"custom_id", "method", "url", "body"}, line
                assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions"), line
                check_openai_chat(line["body"])
        elif path == "/v1/images/generations":
            no_unknown(json.loads(body), IMAGE.validate_python(json.loads(body)), "image")
        else:
            raise AssertionError(f"no check for {path}")
        n_checked += 1
    return n_checked, gemini


def ask_gemini(stub, body):
    options = types.HttpOptions(base_url=stub, api_version="v1beta")
    client = genai.Client(api_key=KEY, http_options=options)
    contents = [types.Content.model_validate(content) for content in body["contents"]]
    config = check_gemini(body)
    reply = client.models.generate_content(model="g", contents=contents, config=config)
    assert reply.text == ANSWER, reply
    assert reply.candidates[0].finish_reason == types.FinishReason.STOP
    usage = reply.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count) == (1200, 80, 300)
    assert (reply.model_version, reply.response_id) == ("g-001", "stub-response")

    inline = types.InlinedRequest(contents=contents, config=config, metadata={"key": "a"})
    job = client.batches.create(model="g", src=[inline], config={"display_name": "asap"})
    assert job.state == types.JobState.JOB_STATE_PENDING, job
    job = client.batches.get(name=job.name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED, job
    answer = job.dest.inlined_responses[0]
    assert (answer.response.text, answer.metadata) == (ANSWER, {"key": "a"}), answer

    line = json.dumps({"key": "b", "request": body}).encode()
    file = client.files.upload(file=io.BytesIO(line), config={"mime_type": "application/jsonl"})
    job = client.batches.create(model="g", src=file.name)
    job = client.batches.get(name=job.name)
    answer = json.loads(client.files.download(file=job.dest.file_name))
    assert answer["key"] == "b"
    assert types.GenerateContentResponse.model_validate(answer["response"]).text == ANSWER


def ask_openai(stub, body):
    client = openai.OpenAI(api_key=KEY, base_url=f"{stub}/v1", _strict_response_validation=True)
    reply = client.chat.completions.create(**body)
    assert reply.choices[0].message.content == ANSWER, reply
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.completion_tokens_details.reasoning_tokens == 300

    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    file = client.files.create(file=("batch.jsonl", json.dumps(line).encode()), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert batch.status == "validating", batch
    batch = client.batches.retrieve(batch.id)
    assert (batch.status, batch.request_counts.completed) == ("completed", 1), batch
    answer = json.loads(client.files.content(batch.output_file_id).text)
    assert answer["custom_id"] == "a"
    inner = openai.types.chat.ChatCompletion.model_validate(answer["response"]["body"])
    assert inner.choices[0].message.content == ANSWER

    made = client.images.generate(model="gpt-image-1", prompt="two hands", size="1024x1024", n=1)
    assert made.data[0].b64_json, made


def main():
    path, stub = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        requests = json.load(file)
    n_checked, gemini = check_requests(requests)
    ask_gemini(stub, gemini)
    chats = [json.loads(request["body"]) for request in requests if request["path"] == "/v1/chat/completions"]
    for body in chats:
        ask_openai(stub, body)
    print(f"{n_checked} requests fit the types of google-genai and openai, and both clients understand the stub")


if __name__ == "__main__":
    main()

#!/usr/bin/env bats
# oci-spec on input that wants to crash, hang or bloat it: always an answer, in time and in bounded memory.

load ../helpers

# The address sanitizer reserves terabytes of addresses.
is_sanitized() { ldd "$(command -v oci-spec)" 2>/dev/null | grep -q asan; }

# bounded MEGABYTES COMMAND: in that much memory and time.
bounded()
{
    local limit
    limit="ulimit -v $(($1 * 1024));"
    ! is_sanitized || limit=
    timeout 20 bash -c "set -o pipefail; $limit $2"
}

# refuses MEGABYTES FILE 'TEXT': within twenty seconds and that much memory, exit 1 with one clear sentence.
refuses()
{
    local limit=$1 file=$2 text=$3
    run -1 --separate-stderr bounded "$limit" "oci-spec plan $file"
    [[ $output == "" ]]
    [[ ${stderr_lines[0]} == "oci-spec: "*"$text"* ]] || { echo "for $file: ${stderr:0:300}" >&2; return 1; }
    ((${#stderr} < 100000))
}

repeat() { head -c "$(($1 * ${#2}))" < <(yes "$2" | tr -d '\n'); }

@test "empty input and blank input" {
    : >empty; refuses 100 empty "1:1: found nothing, expected an object"
    printf ' \n\t ' >blank; refuses 100 blank "1:1: found nothing, expected an object"
    refuses 100 /dev/null "1:1: found nothing, expected an object"
}

@test "a byte order mark, UTF-16, and other encodings" {
    printf '\xef\xbb\xbf{"ociVersion":"1.0.0"}' >bom; refuses 100 bom "1:1: found a byte order mark"
    printf '\xff\xfe{\0}\0' >utf16; refuses 100 utf16 "1:1: found a byte that is not UTF-8 (0xff)"
    printf '{"ociVersion":"1.0.0","hostname":"caf\xe9"}' >latin1; refuses 100 latin1 "1:38: found a byte that is not UTF-8 (0xe9)"
    printf '{"ociVersion":"\xed\xa0\x80"}' >surrogate; refuses 100 surrogate "found a byte that is not UTF-8 (0xed)"
}

@test "NUL bytes, inside a string and outside" {
    printf '{"ociVersion":"1.0.0\\u0000"}' >escaped; refuses 100 escaped "found a NUL character inside a string"
    printf '{"ociVersion":"1.0.0\0"}' >raw; refuses 100 raw "found a control character (0x00) inside a string"
    printf '{"ociVersion":"1.0.0"}\0' >behind; refuses 100 behind "found a control character (0x00), expected the end of the text"
    head -c 10000000 /dev/zero >zeros; refuses 300 zeros "1:1: found a control character (0x00), expected a value"
}

@test "garbage behind the end, and documents that stop in the middle" {
    oci-spec new >config.json
    { cat config.json; echo '}'; } >trailing; refuses 100 trailing "found '}', expected the end of the text"
    { cat config.json; cat config.json; } >twice; refuses 100 twice "found '{', expected the end of the text"
    size=$(stat -c %s config.json)
    for ((cut = 1; cut < size - 2; cut += 37)); do
        head -c "$cut" config.json >"$BATS_TEST_TMPDIR/begin"
        run -1 oci-spec check begin
        [[ $output == "oci-spec: "*": found "*"expected "* ]] || { echo "$cut: $output" >&2; return 1; }
    done
}

@test "deep nesting" {
    repeat 100000 '[' >arrays; refuses 100 arrays "1:1"
    { printf '{"a":'; repeat 100000 '['; } >open; refuses 100 open "1:105: nested deeper than 100 levels"
    { printf '{"a":'; repeat 100000 '['; repeat 100000 ']'; printf '}'; } >closed; refuses 100 closed "1:105: nested deeper than 100 levels"
    repeat 2000000 '{"a":' >objects; refuses 300 objects "1:501: nested deeper than 100 levels"
}

@test "numbers of any size" {
    for number in 99999999999999999999 -1 1e400 0.5 1.0 "$(repeat 5000 9)" "1e$(repeat 5000 9)"; do
        printf '{"ociVersion":"1.0.0","process":{"args":["a"],"cwd":"/","user":{"uid":%s}}}' "$number" >number
        refuses 100 number "/process/user/uid: 1:71: found ${number:0:40}"
    done
    for number in 01 +1 1. .5 0x10 1e -; do
        printf '{"ociVersion":"1.0.0","x":%s}' "$number" >number
        run -1 oci-spec check number
        [[ $output == "oci-spec: "*"1:27: found '$number', expected a "* ]]
    done
    { printf '{"ociVersion":"1.0.0","process":{"args":["a"],"cwd":"/","user":{"uid":'; repeat 20000000 9; printf '}}}'; } >huge
    refuses 400 huge "/process/user/uid: 1:71: found 9999999999999999999999999999999999999999..., expected a whole number"
}

@test "the same key many times" {
    { printf '{"ociVersion":"1.0.0"'; repeat 300000 ',"k":0'; printf '}'; } >same
    refuses 400 same "/k: 1:29: found the same key twice, expected it once (it is also at 1:23)"
    [[ ${stderr_lines[-1]} == "oci-spec: and 299949 more errors" ]]

    run -1 oci-spec check <<<'{"ociVersion": "1.0.0", "ociVersion": "1.0.1"}'
    [[ $output == "oci-spec: /ociVersion: 1:25: found the same key twice, expected it once (it is also at 1:2)" ]]
}

@test "a million values, and a million errors" {
    { printf '{"ociVersion":"1.0.0","a":['; repeat 5000000 '0,'; printf '0]}'; } >values
    refuses 400 values "found more than 1000000 values, expected fewer"
    { printf '{"ociVersion":"1.0.0","a":['; repeat 500000 'tru,'; printf '0]}'; } >errors
    refuses 400 errors "/a/0: 1:28: found 'tru', expected true, false or null"
    [[ ${#stderr_lines[@]} == 51 ]]
}

@test "lookups do not go wild among a hundred thousand unknown keys" {
    jq -cn '[range(100000) | {key: "k\(.)", value: 0}] | from_entries
        + {ociVersion: "1.0.0", linux: {namespaces: [{type: "network"}], sysctl: ([range(100000) | {key: "net.k\(.)", value: "0"}] | from_entries)}}' >many

    run -0 bash -c 'ulimit -t 10; timeout 20 oci-spec plan many | tail -1'
    [[ $output == end ]]

    run -1 bash -c 'ulimit -t 10; timeout 20 oci-spec check --strict many 2>&1 | tail -1; exit "${PIPESTATUS[0]}"'
    [[ $output == "oci-spec: and "*" more errors" ]]
}

@test "a hundred megabytes, in a file and through a pipe" {
    truncate -s 100M large
    run -1 bounded 400 'oci-spec plan large'
    [[ $output == "oci-spec: 'large': input is larger than 67108864 bytes" ]]

    run -1 bounded 600 'oci-spec plan </dev/zero'
    [[ $output == "oci-spec: standard input: input is larger than 67108864 bytes" ]]
}

@test "sixty megabytes of one string are read, in eight times as much memory" {
    { printf '{"ociVersion":"1.0.0","annotations":{"a":"'; repeat 60000000 x; printf '"}}'; } >large

    run -0 bounded 600 'oci-spec plan large | wc -c'

    ((output > 60000000))
}

@test "too little memory is an error, not a crash" {
    ! is_sanitized || skip "the address sanitizer needs all memory"
    { printf '{"ociVersion":"1.0.0","annotations":{"a":"'; repeat 30000000 x; printf '"}}'; } >large

    run -1 bounded 100 'oci-spec plan large'

    [[ $output == "oci-spec: "*memory* || $output == "oci-spec: cannot go on: "* ]]
}

@test "a key of megabytes makes no line of megabytes" {
    { printf '{"ociVersion":"1.0.0","linux":{"sysctl":{"'; repeat 10000000 k; printf '":1}}}'; } >key
    refuses 300 key "/linux/sysctl/kkkk"
    ((${#stderr} < 2000))
}

@test "arrays and objects in each other's place" {
    refuses_text() { printf '%s' "$1" >text; refuses 100 text "$2"; }
    refuses_text '["a":1]' "found ':', expected ',' or ']'"
    refuses_text '{"a":["b":1]}' "/a: 1:10: found ':', expected ',' or ']'"
    refuses_text '{"a","b"}' "found ',', expected ':'"
    refuses_text '{1:2}' "found '1', expected a key in double quotes or '}'"
    refuses_text '{"a":}' "found '}', expected a value"
    refuses_text '{,}' "found ',', expected a key in double quotes or '}'"
    refuses_text '{"a":1 "b":2}' "found a string, expected ',' or '}'"
    refuses_text '[]' "found an array, expected an object"
    refuses_text 'null' "found null, expected an object"
    refuses_text '"{}"' "found a string, expected an object"
}

@test "four hundred random mutations of a configuration give 0 or 1 and nothing else" {
    requires python3
    run -0 timeout 50 python3 - <<'PY'
import random, subprocess
random.seed(7)
good = subprocess.check_output(["oci-spec", "new"])
alphabet = b'{}[]:,"\\ \n0-1.eEtfnu/\x00\x7f\x80\xff'
texts = []
for _ in range(400):
    text = bytearray(good)
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(text))
        what = random.randrange(4)
        if what == 0: text[at] = random.choice(alphabet)
        elif what == 1: del text[at:at + random.randint(1, 40)]
        elif what == 2: text.insert(at, random.choice(alphabet))
        else: text[at:at] = text[random.randrange(len(text)):][:60]
    texts.append(bytes(text))
for text in texts:
    done = subprocess.run(["oci-spec", "plan"], input=text, capture_output=True, timeout=5)
    assert done.returncode in (0, 1), (done.returncode, text)
    assert (done.returncode == 0) == done.stdout.endswith(b"\nend\n"), text
    assert (done.returncode == 1) == (b": found " in done.stderr), (done.stderr, text)
PY
}

#!/usr/bin/env bats
# oci-spec get, set, unset, diff: configurations by JSON pointer.

load ../helpers

setup()
{
    ocirun_setup
    oci-spec new >config.json
}

# ---------------------------------------------------------------- get

@test "get prints a string as it is, and anything else as JSON" {
    [[ $(oci-spec get /hostname config.json) == ocirun ]]
    [[ $(oci-spec get /root/readonly config.json) == true ]]
    [[ $(oci-spec get /process/rlimits/0/soft config.json) == 1024 ]]
    [[ $(oci-spec get /process/args config.json) == $'[\n\t"sh"\n]' ]]
    [[ $(oci-spec get /process/args/0 <config.json) == sh ]]
}

@test "get --json puts strings in quotes, too" {
    oci-spec set /annotations/a $'x\t"y"\\' config.json >changed.json

    [[ $(oci-spec get /annotations/a changed.json) == $'x\t"y"\\' ]]
    [[ $(oci-spec get --json /annotations/a changed.json) == '"x\t\"y\"\\"' ]]
}

@test "get of the empty pointer is the whole document, in the form that new writes" {
    oci-spec get "" config.json | cmp - config.json
}

@test "get with * prints every member or item that has what follows" {
    run -0 oci-spec get '/mounts/*/destination' config.json
    [[ $output == $'/proc\n/dev\n/dev/pts\n/dev/shm\n/dev/mqueue\n/sys\n/sys/fs/cgroup' ]]

    run -0 oci-spec get '/process/capabilities/*/0' config.json
    [[ $output == $'CAP_AUDIT_WRITE\nCAP_AUDIT_WRITE\nCAP_AUDIT_WRITE' ]]
}

@test "get of what is not there, or null, is an error with the pointer" {
    run -1 oci-spec get /domainname config.json
    [[ $output == "oci-spec: /domainname: found nothing" ]]

    run -1 oci-spec get /process/args/7 config.json
    run -1 oci-spec get /a/b <<<'{"a": {"b": null}}'
    run -1 oci-spec get '/a/*' <<<'{"a": []}'
}

@test "pointers have the escapes of RFC 6901" {
    [[ $(oci-spec get '/a~1b/m~0n' <<<'{"a/b": {"m~n": 1}}') == 1 ]]
    [[ $(oci-spec get '/' <<<'{"": 2}') == 2 ]]
    for bad in a a/b '/a~' '/a~2'; do
        run -2 oci-spec get "$bad" config.json
        [[ $output == "oci-spec: '$bad': expected a JSON pointer, such as /process/args/0" ]]
    done
}

@test "get, set and unset name what is wrong with a text that is no JSON, and write nothing" {
    for verb in "get /a" "set /a 1" "unset /a"; do
        # shellcheck disable=SC2086  # verb is several words
        run -1 --separate-stderr oci-spec $verb <<<'{"a": 1,}'
        [[ $output == "" && $stderr == "oci-spec: 1:9: found '}', expected a key in double quotes" ]]
    done
}

# ---------------------------------------------------------------- set

# sets POINTER VALUE 'JQ FILTER': set does what the filter does, and nothing else.
sets()
{
    oci-spec set "$1" "$2" config.json >changed.json
    diff <(jq -S . changed.json) <(jq -S "$3" config.json)
}

@test "set takes JSON" {
    sets /root/readonly false '.root.readonly = false'
    sets /linux/resources/pids/limit 20 '.linux.resources.pids.limit = 20'
    sets /linux/resources/memory/limit -1 '.linux.resources.memory.limit = -1'
    sets /process/args '["sleep", "1"]' '.process.args = ["sleep", "1"]'
    sets /process/user '{"uid": 7, "gid": 8}' '.process.user = {uid: 7, gid: 8}'
    sets /hostname '"with \"quotes\""' '.hostname = "with \"quotes\""'
    sets /linux/seccomp null '.linux.seccomp = null'
}

@test "set takes the word itself where the runtime-spec has a string" {
    sets /hostname box '.hostname = "box"'
    sets /hostname 7 '.hostname = "7"'
    sets /hostname true '.hostname = "true"'
    sets /hostname '' '.hostname = ""'
    sets /process/env/0 'A={"b":1}' '.process.env[0] = "A={\"b\":1}"'
    sets /annotations/a '[1]' '.annotations.a = "[1]"'
    sets /linux/sysctl/net.ipv4.ip_forward 1 '.linux.sysctl["net.ipv4.ip_forward"] = "1"'
}

@test "set of what the runtime-spec does not know takes JSON, and any other word as a string" {
    sets /x/y 1 '.x.y = 1'
    sets /x/y word '.x.y = "word"'
    sets /x '1, "y": 2' '.x = "1, \"y\": 2"'
    sets /x '1}' '.x = "1}"'
}

@test "set makes objects and arrays on the way, as the runtime-spec has them" {
    sets /linux/resources/memory/limit 64 '.linux.resources.memory.limit = 64'
    sets /hooks/poststop/0/path /bin/hook '.hooks.poststop = [{path: "/bin/hook"}]'
    sets /linux/devices/-/path /dev/x '.linux.devices = [{path: "/dev/x"}]'
    sets /x/- 1 '.x = [1]'
}

@test "set replaces an item of an array, and appends with - or the next index" {
    sets /process/args/0 bash '.process.args[0] = "bash"'
    sets /process/args/- -c '.process.args += ["-c"]'
    sets /process/args/1 -c '.process.args += ["-c"]'

    run -1 oci-spec set /process/args/3 x config.json
    [[ $output == "oci-spec: /process/args: found an array of 1, expected one with '3'" ]]
    run -1 oci-spec set /process/args/00 x config.json
    [[ $output == "oci-spec: /process/args: found an array of 1, expected one with '00'" ]]
}

@test "set refuses a type that the runtime-spec does not have there" {
    run -1 --separate-stderr oci-spec set /process/args sh config.json
    [[ $output == "" && $stderr == "oci-spec: /process/args: found 'sh', expected an array in JSON" ]]
    run -1 oci-spec set /process/args '["sh" "-c"]' config.json
    [[ $output == "oci-spec: /process/args: found '[\"sh\" \"-c\"]', expected an array in JSON" ]]
    run -1 oci-spec set /root/readonly 1 config.json
    [[ $output == "oci-spec: /root/readonly: found a number, expected true or false" ]]
    run -1 oci-spec set /hostname/x 1 config.json
    [[ $output == "oci-spec: /hostname: found a string, expected an object or an array" ]]
    run -1 oci-spec set "" '[]' config.json
    [[ $output == "oci-spec: found an array, expected an object" ]]
}

@test "set keeps the order of keys and the spelling of numbers" {
    printf '{"z": 1.50, "a": 1e3, "m": 18446744073709551615}' >numbers.json

    run -0 oci-spec set /z2 true numbers.json

    [[ $output == $'{\n\t"z": 1.50,\n\t"a": 1e3,\n\t"m": 18446744073709551615,\n\t"z2": true\n}' ]]
}

@test "--in-place replaces the file, with its mode, also behind a link, and leaves nothing else" {
    mkdir bundle
    cp config.json bundle/config.json
    chmod 640 bundle/config.json
    ln -s bundle/config.json link

    run -0 oci-spec set --in-place /hostname box link
    run -0 oci-spec unset -i /process/terminal bundle/config.json

    [[ $output == "" && -L link && $(ls -A bundle) == config.json && $(stat -c %a bundle/config.json) == 640 ]]
    diff <(jq -S . bundle/config.json) <(jq -S '.hostname = "box" | del(.process.terminal)' config.json)
}

@test "--in-place without a file is wrong usage; one that fails leaves the file" {
    run -2 oci-spec set -i /hostname box <config.json
    [[ $output == "oci-spec: --in-place needs a FILE" ]]

    cp config.json before
    run -1 oci-spec set -i /root/readonly 7 config.json
    [[ $output == "oci-spec: /root/readonly: found a number, expected true or false" ]]
    cmp config.json before
    refute compgen -G 'config.json.new-*'
    run -137 oci-spec --test-step 2:9 set -i /hostname box config.json
    cmp config.json before
    [[ $(oci-spec get /hostname config.json.new-*) == box ]]
}

# ---------------------------------------------------------------- unset

@test "unset removes a member or an item; what is not there need not be" {
    oci-spec unset /hostname config.json | diff <(jq -S 'del(.hostname)' config.json) <(jq -S .)
    oci-spec unset /mounts/1 config.json | diff <(jq -S 'del(.mounts[1])' config.json) <(jq -S .)
    for nothing in /x /x/y /mounts/9 /mounts/- /hostname/x; do
        oci-spec unset "$nothing" config.json | cmp - config.json
    done
    run -2 oci-spec unset "" config.json
}

# ---------------------------------------------------------------- diff

@test "diff of the same is silent and exits 0, whatever the order and the layout" {
    jq -cS . config.json >sorted.json

    run -0 oci-spec diff config.json sorted.json
    [[ $output == "" ]]

    run -0 oci-spec diff - config.json <sorted.json
    run -0 oci-spec diff <(echo '{"a": null}') <(echo '{}')
}

@test "diff says what is gone, what is new and what is another, and exits 1" {
    oci-spec new --memory 64M -- sleep 1 | oci-spec unset /hostname >other.json

    run -1 --separate-stderr oci-spec diff config.json other.json

    diff - <(printf '%s\n' "$output") <<'LINES'
-	/hostname	"ocirun"
+	/linux/resources/memory	{"limit":67108864}
-	/process/args/0	"sh"
+	/process/args/0	"sleep"
+	/process/args/1	"1"
LINES
    [[ $stderr == "" ]]
}

@test "diff compares kinds, and shows a key with escapes" {
    run -1 oci-spec diff <(echo '{"a": 1, "b/c": [1]}') <(echo '{"a": "1", "b/c": []}')

    [[ $output == $'-\t/a\t1\n+\t/a\t"1"\n-\t/b~1c/0\t1' ]]
}

@test "diff that cannot compare exits 2" {
    run -2 oci-spec diff config.json missing.json
    [[ $output == "oci-spec: cannot open 'missing.json': No such file or directory" ]]
    run -2 oci-spec diff config.json <(echo '{')
    run -2 oci-spec diff config.json
}

# ---------------------------------------------------------------- size

@test "a hundred thousand members are taken in linear time by each verb" {
    jq -cn '{ociVersion: "1.0.0", annotations: ([range(100000) | {key: "k\(.)", value: "\(.)"}] | from_entries)}' >many.json
    jq -c '.annotations.k500 = "x" | del(.annotations.k77777)' many.json >other.json

    run -1 bash -c 'ulimit -t 10; exec oci-spec diff many.json other.json'
    [[ $output == $'-\t/annotations/k500\t"500"\n+\t/annotations/k500\t"x"\n-\t/annotations/k77777\t"77777"' ]]
    run -0 bash -c 'ulimit -t 10; oci-spec set /annotations/new 1 many.json | oci-spec unset /annotations/k7 | oci-spec get "/annotations/*" | wc -l'
    [[ $output == 100000 ]]
}

@test "a hundred megabytes are refused by each verb, with the bound" {
    truncate -s 100M large

    for verb in "get /a large" "set /a 1 large" "unset /a large" "diff large config.json" "new --from large"; do
        # shellcheck disable=SC2086  # verb is several words
        run oci-spec $verb
        [[ $status != 0 && $output == "oci-spec: 'large': input is larger than 67108864 bytes" ]]
    done
}

@test "sixty megabytes are read and written in eight times as much memory" {
    requires plain_build
    { printf '{"a":"'; head -c 60000000 /dev/zero | tr '\0' x; printf '"}'; } >large

    for verb in 'get /a large' 'set /b 1 large' 'unset /b large' 'diff large config.json'; do
        bash -c "ulimit -v 500000; oci-spec $verb >out; ((\$? < 2))"
        (($(stat -c %s out) > 60000000))
    done
}

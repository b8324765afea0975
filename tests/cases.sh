# cases.sh - what scripts of cases share: running tsp, judging what it did, counting. To be sourced.
#
# Leaves what the last command printed in $work/out and $work/err. A script ends with count_cases.
tsp=${TSP:-build/release/tsp}
case $tsp in /*) ;; *) tsp=$PWD/$tsp ;; esac
work=$(mktemp -d) || exit 1
# shellcheck disable=SC2064 # the folder is this one
trap "rm -rf '$work'" EXIT
: >"$work/out"
: >"$work/err"
passed=0 failed=0
subcommand='' # of every case, if a script is of one
export PYTHONOPTIMIZE= # asserts count

# verdict STATUS WHAT: counts one case; STATUS is that of the command just run.
verdict() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $2"
        sed 's/^/    /' "$work/out" "$work/err" | head -n 20
    fi
}

# works ARGUMENTS...: tsp must succeed and keep stderr empty.
works() {
    # shellcheck disable=SC2086 # none or one
    "$tsp" $subcommand "$@" >"$work/out" 2>"$work/err" && [ ! -s "$work/err" ]
    verdict $? "tsp ${subcommand:+$subcommand }$*"
}

# What else must be true after a refusal; a script may define its own.
leaves_nothing() { :; }

# refuses STATUS TEXT ARGUMENTS...: tsp must end with the status and one line of error that has the
# text in it, and print nothing else.
refuses() {
    want=$1 text=$2
    shift 2
    # shellcheck disable=SC2086 # none or one
    "$tsp" $subcommand "$@" >"$work/out" 2>"$work/err"
    status=$?
    [ $status = "$want" ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ] &&
        grep -q '^tsp: error: ' "$work/err" && grep -qF -- "$text" "$work/err" && leaves_nothing
    verdict $? "tsp ${subcommand:+$subcommand }$*: exit status $status, expected $want and '$text'"
}

holds() { # holds WHAT COMMAND...
    what=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    verdict $? "$what"
}

count_cases() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

#!/usr/bin/env bats
# The unit test of comm on several ranks; how a failing rank ends the others.
load ../helper
# shellcheck source=../../shell/lib.sh
. "$root/shell/lib.sh"

@test "every call works on 1, 2, 3 and 4 ranks" {
    cd "$root"
    for n in 1 2 3 4; do
        exits 0 ranks "$n" build/release/tests/unit/comm/test_comm
    done
}

@test "the same on machines of 2 and 3 ranks, where rows go in two steps, and of unequal numbers" {
    cd "$root"
    for how in "2 4" "3 6" "2 5" "1 2"; do
        read -r node n <<<"$how"
        SWITCHYARD_NODE_RANKS=$node exits 0 ranks "$n" build/release/tests/unit/comm/test_comm
    done
}

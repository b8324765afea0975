/* campaign_faults.c - the whole campaign of flips: `make faults`. Arguments: trials of each kind
 * (10000), engines (2: both; 1: the fast one; flips at random want both).
 */
#include "fault_campaign.h"

/* Of random flips so few that no three meet in one word, which might go unnoticed. */
int main(int argc, char **argv) {
    const int32_t trials = argc > 1 ? (int32_t)strtol(argv[1], NULL, 10) : 10000;
    const int32_t engines = argc > 2 && strcmp(argv[2], "1") == 0 ? 1 : ENGINES;
    static const char *const names[] = {"random", "single", "double"};
    bool all = true;
    random_start();
    for (int32_t flips = engines == ENGINES ? 0 : 1; flips <= 2; flips++) {
        char what[WHAT_SIZE];
        Totals t;
        bool fine = flips ? fault_campaign(flips, trials, engines, &t, what)
                          : rate_campaign(0.03, trials, &t, what);
        print_totals(names[flips], &t);
        if (!fine) printf("FAILED: %s\n", what);
        all = all && fine && t.silent == 0;
    }
    return all ? 0 : 1;
}

/* Writes numbered, time-stamped lines at a steady rate: logspam RATE COUNT LENGTH. RATE 0 is as fast as it goes,
 * COUNT 0 is for ever. Each line begins "S=<number> T=<microseconds since 1970> " and is LENGTH bytes long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    long rate = atol(argv[1]), count = atol(argv[2]), length = atol(argv[3]);
    char *line = malloc(length + 64), *buffer = malloc(1 << 16);
    setvbuf(stdout, buffer, _IOFBF, 1 << 16);
    long long start = now();
    for (long n = 0; count == 0 || n < count; n++) {
        if (rate > 0) {
            long long due = start + n * 1000000LL / rate, at = now();
            if (due > at) {
                fflush(stdout);
                usleep(due - at < 5000 ? 5000 : due - at);
            }
        }
        int head = sprintf(line, "S=%ld T=%lld ", n, now());
        for (int i = head; i < length - 1; i++) line[i] = 'a' + (i + n) % 26;
        line[length - 1] = '\n';
        fwrite(line, 1, length, stdout);
    }
    puts("S=END");
    fflush(stdout);
    for (;;) pause();
}

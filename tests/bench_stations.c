/* The recursion of sim/operate/station.py in C, for the benchmark only: what a compiler can make of it at best. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double later(double a, double b) { return a > b ? a : b; }
static double earlier(double a, double b) { return a < b ? a : b; }

static int goes_first(double time, double tie, double other_time, double other_tie)
{
    return (time < other_time) | ((time == other_time) & (tie < other_tie));
}

static void sink(double *heap, double *tie, long i, long size)
{
    double time = heap[i], close = tie[i];
    long child = 2 * i + 1;
    while (child < size) {
        if (child + 1 < size)
            child += goes_first(heap[child + 1], tie[child + 1], heap[child], tie[child]);
        if (!goes_first(heap[child], tie[child], time, close))
            break;
        heap[i] = heap[child];
        tie[i] = tie[child];
        i = child;
        child = 2 * child + 1;
    }
    heap[i] = time;
    tie[i] = close;
}

static void sink_plain(double *heap, long size)
{
    double time = heap[0];
    long i = 0, child = 1;
    while (child < size) {
        if (child + 1 < size)
            child += heap[child + 1] < heap[child];
        if (heap[child] >= time)
            break;
        heap[i] = heap[child];
        i = child;
        child = 2 * child + 1;
    }
    heap[i] = time;
}

static void settle(long *order, long n, const double *time)
{
    for (long k = 1; k < n; k++) {
        long who = order[k], i = k;
        while (i > 0 && time[order[i - 1]] > time[who]) {
            order[i] = order[i - 1];
            i--;
        }
        order[i] = who;
    }
}

static long in_order(const double *time, long n, double bell, long *order)
{
    double first = INFINITY, last = -INFINITY;
    for (long i = 0; i < n; i++)
        if (time[i] < bell) {
            first = earlier(first, time[i]);
            last = later(last, time[i]);
        }
    double scale = last > first ? (n - 1) / (last - first) : 0.0;
    long *ends = calloc(n + 1, sizeof(long)), size = 0;
    for (long i = 0; i < n; i++)
        if (time[i] < bell) {
            ends[(long)((time[i] - first) * scale) + 1]++;
            size++;
        }
    for (long b = 0; b < n; b++)
        ends[b + 1] += ends[b];
    for (long i = 0; i < n; i++)
        if (time[i] < bell)
            order[ends[(long)((time[i] - first) * scale)]++] = i;
    free(ends);
    settle(order, size, time);
    return size;
}

static long take(double *heap, long taken, long places, double until)
{
    if (taken == places) {
        heap[0] = until;
        sink_plain(heap, places);
        return taken;
    }
    long i = taken;
    while (i > 0 && heap[(i - 1) / 2] > until) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = until;
    return taken + 1;
}

/* Serve and seat n pupils; at_window, served, seated, left and out (short) are written, NaN where it never was. */
void canteen(long n, const double *arrive, const double *service, const double *eat, long windows, const double *opens,
             const double *closes, long seats, double bell, long portions, double *at_window, double *served,
             double *seated, double *left, unsigned char *out)
{
    long *line = malloc((n + 1) * sizeof(long)), *table = malloc((n + 1) * sizeof(long)), dishes = 0;
    double *opened = malloc((windows + 1) * sizeof(double)), *close = malloc((windows + 1) * sizeof(double));
    double *heap = malloc(((n < seats ? n : seats) + 1) * sizeof(double));
    for (long i = 0; i < n; i++)
        at_window[i] = served[i] = seated[i] = left[i] = NAN, out[i] = 0;
        long come = in_order(arrive, n, bell, line), size = windows;
    memcpy(opened, opens, windows * sizeof(double));
    memcpy(close, closes, windows * sizeof(double));
    for (long i = size / 2 - 1; i >= 0; i--)
        sink(opened, close, i, size);
    for (long k = 0; k < come; k++) {
        long who = line[k];
        while (size > 0 && later(arrive[who], opened[0]) >= close[0]) {
            size--;
            opened[0] = opened[size];
            close[0] = close[size];
            if (size)
                sink(opened, close, 0, size);
        }
        double begin = size > 0 ? later(arrive[who], opened[0]) : INFINITY;
        if (begin >= bell)
            break;
        if (portions == 0) {
            out[who] = 1;
            continue;
        }
        portions--;
        double end = begin + service[who];
        if (end <= bell) {
            at_window[who] = begin;
            served[who] = end;
            table[dishes++] = who;
        }
        opened[0] = end;
        sink(opened, close, 0, size);
    }
    settle(table, dishes, served);
    for (long k = 0, taken = 0; k < dishes && seats > 0; k++) {
        long who = table[k];
        double begin = taken < seats ? served[who] : later(served[who], heap[0]);
        if (begin >= bell)
            break;
        seated[who] = begin;
        left[who] = earlier(begin + eat[who], bell);
        taken = take(heap, taken, seats, left[who]);
    }
    free(line), free(table), free(opened), free(close), free(heap);
}

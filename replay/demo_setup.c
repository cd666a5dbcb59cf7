/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/demo_setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/cli.h"

bool demo_enter(const char *folder)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        cli_error("demo", "%s: %s; start it in a folder that you may write to",
                  folder, strerror(errno));
        return false;
    }
    if (chdir(folder) != 0 || access(".", W_OK) != 0) {
        cli_error("demo", "%s: %s", folder, strerror(errno));
        return false;
    }
    return true;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool port_free(int port, const char *what)
{
    struct sockaddr_in at = loopback(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        cli_error("demo", "socket: %s", strerror(errno));
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    int rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
    int why = errno;
    close(fd);
    if (rc != 0) {
        cli_error("demo",
                  "port %d for %s: %s; if another demo runs, stop it (Ctrl-C "
                  "there); else 'ss -ltnp sport = :%d' shows who has it",
                  port, what, strerror(why), port);
    }
    return rc == 0;
}

bool demo_ports_free(const struct site *site)
{
    bool all = port_free(site->mqtt.port, "the broker");
    if (site->grid.meter.present) {
        all = port_free(site->grid.meter.port, "the meter") && all;
    }
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        if (b->modbus.present) {
            all = port_free(b->modbus.port, b->name) && all;
        }
    }
    return all;
}

/* True where 'folder' (n bytes) has an executable mosquitto: its path. */
static bool try_folder(const char *folder, size_t n, char *out, size_t size)
{
    int length = snprintf(out, size, "%.*s/mosquitto", (int)n, folder);
    return n > 0 && length > 0 && (size_t)length < size &&
           access(out, X_OK) == 0;
}

bool demo_find_mosquitto(char *out, size_t size)
{
    const char *path = getenv("PATH");
    for (const char *p = path != NULL ? path : ""; *p != '\0';) {
        size_t n = strcspn(p, ":");
        if (p[0] == '/' && try_folder(p, n, out, size)) {
            return true;
        }
        p += n;
        p += *p == ':';
    }
    static const char *const others[] = {"/usr/sbin", "/usr/local/sbin"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (try_folder(others[i], strlen(others[i]), out, size)) {
            return true;
        }
    }
    cli_error("demo", "no mosquitto, the MQTT broker of the demo: "
                      "'sudo apt-get install mosquitto'");
    return false;
}

bool demo_write_mosquitto(const char *path, const struct site *site)
{
    FILE *f = fopen(path, "we");
    if (f == NULL) {
        cli_error("demo", "%s: %s", path, strerror(errno));
        return false;
    }
    fprintf(f,
            "# Written by 'ballast demo': loopback only, nothing kept.\n"
            "listener %d 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence false\n"
            "max_packet_size 65536\n"
            "max_queued_messages 1000\n"
            "max_queued_bytes 4194304\n"
            "max_inflight_messages 20\n"
            "log_dest stdout\n",
            site->mqtt.port);
    bool ok = ferror(f) == 0;
    ok = fclose(f) == 0 && ok;
    if (!ok) {
        cli_error("demo", "%s: %s", path, strerror(errno));
    }
    return ok;
}

bool demo_port_answers(int port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers =
        fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return answers;
}

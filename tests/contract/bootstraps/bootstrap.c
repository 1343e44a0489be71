/* A compiled custom runtime on nothing but sockets: answers each event with the event itself, in `{"compiled": ...}`.
   The event {"fail": true} is answered with an error, {"exit": true} ends the process. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <unistd.h>

static char buffer[1 << 20];

static int dial(void) {
  char host[64];
  const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
  const char *colon = strchr(address, ':');
  snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
  inet_pton(AF_INET, host, &peer.sin_addr);
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&peer, sizeof peer) != 0) exit(3);
  return connection;
}

/* Sends a request and reads the answer into `buffer`; the body's place in it. */
static char *call(const char *method, const char *path, const char *headers, const char *body) {
  char head[4096];
  int connection = dial();
  int size = snprintf(head, sizeof head,
                      "%s /2018-06-01/runtime/%s HTTP/1.1\r\nHost: runtime\r\nConnection: close\r\n%s"
                      "Content-Length: %zu\r\n\r\n", method, path, headers, strlen(body));
  if (write(connection, head, size) != size) exit(4);
  for (size_t sent = 0, all = strlen(body); sent < all;) {
    ssize_t part = write(connection, body + sent, all - sent);
    if (part <= 0) exit(5);
    sent += part;
  }
  size_t got = 0;
  for (ssize_t part; (part = read(connection, buffer + got, sizeof buffer - 1 - got)) > 0;) got += part;
  buffer[got] = 0;
  close(connection);
  char *end = strstr(buffer, "\r\n\r\n");
  if (end == NULL) exit(6);
  *end = 0;
  return end + 4;
}

int main(void) {
  static char answer[1 << 20];
  for (;;) {
    char id[128], path[256];
    char *event = call("GET", "invocation/next", "", "");
    char *header = strstr(buffer, "Lambda-Runtime-Aws-Request-Id: ");
    if (header == NULL || sscanf(header, "Lambda-Runtime-Aws-Request-Id: %127s", id) != 1) return 7;
    if (strstr(event, "\"exit\"") != NULL) return 9;
    if (strstr(event, "\"fail\"") != NULL) {
      snprintf(path, sizeof path, "invocation/%s/error", id);
      call("POST", path, "Lambda-Runtime-Function-Error-Type: Function.Compiled\r\n",
           "{\"errorType\":\"Compiled\",\"errorMessage\":\"as asked\"}");
      continue;
    }
    snprintf(answer, sizeof answer, "{\"compiled\":%s}", event);
    snprintf(path, sizeof path, "invocation/%s/response", id);
    call("POST", path, "Content-Type: application/json\r\n", answer);
  }
}

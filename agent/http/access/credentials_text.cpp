// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/credentials_text.h"

#include "config/settings_text.h"
#include "http/access/credentials.h"

namespace headgate::http::access {
namespace {

constexpr std::string_view kReferenceHead = R"(# Credentials

<!-- Written by the target update_documents, from agent/http/access/credentials.cpp: change it there. -->

The file that `http.credentials` names lists who may use the agent over TCP. The Unix socket needs no such file: there the kernel
identifies the client, and root and the members of the group `headgate` are let in.

- The file belongs to root or to the agent's user, and no other user may read or write it: `chmod 600 FILE`.
- Whoever signs requests (the AWS CLI, boto3, any AWS SDK, `curl --aws-sigv4`) has an access key. `openssl rand -hex 32` makes
  a secret. The service to sign for is `network-firewall`, in any region. The client's clock may be wrong by 15 minutes at most.
- Whoever shows a token (`Authorization: Bearer TOKEN`) is the only one to keep it; the file has its hash. A token is good for
  REST and the console, and only over TLS or on loopback.
- A client certificate that the listener's `client_ca` has signed identifies the client where neither a signature nor a token does.
- A request with a wrong signature or token is refused, whatever else it carries.
- A signed request that starts something is carried out once: the answer to a copy of it is what the first one has started.
- Errors in the file are reported by line and rule; its content appears in no error and no log.

These commands make a token, and a file with its hash that the packaged agent, which runs as the user `headgate`, can read. An
existing file is replaced: to add a token to it, add the two lines that `printf` prints.

```sh
TOKEN=$(openssl rand -hex 32)
HASH=$(printf %s "$TOKEN" | sha256sum | cut -d ' ' -f 1)
printf 'tokens:\n  - {name: dashboard, sha256: "%s", role: viewer}\n' "$HASH" |
    sudo install -o headgate -m 600 /dev/stdin /etc/headgate/credentials.yaml
echo "$TOKEN"
```

`packaging/credentials.yaml` is an example with every setting. `[]` in a name stands for an item of a list.

)";

constexpr std::string_view kExampleHead =
    R"(# Who may ask headgate's agent over TCP. chmod 600: only its owner may read this file. All that can stand in it is in
# here, commented out, behind a # without a space. docs/credentials.md says more.
)";

}  // namespace

std::string credentials_reference() {
    Credentials none;
    return std::string{kReferenceHead} + config::settings_table(settings_of(none));
}

std::string credentials_example() {
    Credentials none;
    return std::string{kExampleHead} + config::settings_example(settings_of(none));
}

}  // namespace headgate::http::access

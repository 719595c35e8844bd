#include "cli/configuration_manual.h"

#include "config/settings.h"
#include "config/settings_text.h"
#include "http/access/credentials.h"

namespace headgate::cli {
namespace {

constexpr std::string_view kManualHead =
    R"(.\" Written by `headgate check-config --print-manual`, from agent/config/settings.cpp,
.\" agent/http/access/credentials.cpp and agent/cli/configuration_manual.cpp:
.\" change it there.
.Dd November 22, 2026
.Dt HEADGATE.YAML 5
.Os headgate
.Sh NAME
.Nm headgate.yaml
.Nd configuration of headgate
.Sh SYNOPSIS
.Pa /etc/headgate/headgate.yaml
.Pp
.Pa /etc/headgate/conf.d/*.yaml
.Sh DESCRIPTION
.Xr headgate 1
and
.Xr headgate-agent 8
read
.Pa /etc/headgate/headgate.yaml ,
then the files
.Pa conf.d/*.yaml
beside it, in the order of their names.
With neither, every setting has its default.
The option
.Fl -config Ar FILE
reads another file, which must be there, and the
.Pa conf.d
beside that one.
.Pp
A value in a later file takes the place of an earlier one.
Lists grow instead, unless the setting says otherwise; a firewall that is named
again gets the further endpoints.
A file is plain YAML of 64 KiB at most, without anchors, aliases and tags.
A key stands in a file once, and one that is not in here is an error.
.Pp
.Ic headgate check-config
says whether all of it is right, and what is not, each in a line:
.Ar file : Ns Ar line : Ar setting : Ar what is wrong .
The agent reads the files again on
.Dv SIGHUP ;
if something is wrong then, the configuration stays as it was, and the log says
what it is.
.Ic http.socket ,
.Ic http.connections
and
.Ic state_dir
change with the next start.
.Pp
Durations are written
.Ic 90s ,
.Ic 5m ,
.Ic 12h ,
.Ic 7d ,
sizes
.Ic 512MiB ,
.Ic 2GiB ,
.Ic 1TiB ;
without a unit they are seconds and bytes.
.Sh SETTINGS
A setting within another one is named with a dot;
.Ic []
stands for an item of a list.
)";

constexpr std::string_view kManualCredentials = R"(.Sh CREDENTIALS
Who may ask the agent over TCP stands in the file that
.Ic http.credentials
names.
The Unix socket needs none: there the kernel tells who asks, and root and the
members of the group
.Ic headgate
are let in.
The file belongs to root or to whom the agent runs as, and nobody else may read
or write it.
)";

constexpr std::string_view kManualTail = R"(.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/headgate/headgate.yaml
The configuration.
.It Pa /etc/headgate/conf.d/*.yaml
What is added to it.
.It Pa /etc/headgate/credentials.yaml
The usual place of the credentials, mode 0600.
.It Pa /etc/headgate/policies/*.yaml
Stream exception policies of the operator's own;
see
.Xr headgate-policy 5 .
.El
.Sh EXAMPLES
A firewall with two endpoints, whose management traffic no flush ends, with
flushed connections reset, and with HTTP for other machines:
.Bd -literal
firewalls:
  - name: edge
    endpoints:
      - {availability_zone: eu-central-1a, netns: gw-a}
      - {availability_zone: eu-central-1b, netns: gw-b}
protected:
  - source=10.255.0.0/16,destination-port=22,protocol=tcp
stream_exception_policy: reject
http:
  listeners:
    - address: 10.255.0.1
      port: 8443
      tls:
        certificate: /etc/headgate/tls.crt
        key: /etc/headgate/tls.key
  credentials: /etc/headgate/credentials.yaml
flow_log:
  reasons: [flushed, evicted]
  sinks:
    - file: /var/log/headgate/flow.json
    - syslog: tcp://192.0.2.1:601
.Ed
.Pp
Credentials for a program that uses an AWS SDK, and for one that reads metrics:
.Bd -literal
access_keys:
  - id: ONCALL1
    secret: what-openssl-rand-hex-32-says
    role: operator
tokens:
  - name: prometheus
    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    role: viewer
    firewalls: [edge]
.Ed
.Sh SEE ALSO
.Xr headgate 1 ,
.Xr headgate-policy 5 ,
.Xr headgate-agent 8
)";

}  // namespace

std::string configuration_manual() {
    config::Configuration configuration;
    http::access::Credentials credentials;
    std::string page{kManualHead};
    page += config::settings_manual(config::settings_of(configuration));
    page += kManualCredentials;
    page += config::settings_manual(http::access::settings_of(credentials));
    page += kManualTail;
    return page;
}

}  // namespace headgate::cli

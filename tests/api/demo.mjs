// SPDX-License-Identifier: GPL-2.0-or-later
// An operator's script with the unmodified AWS SDK for JavaScript: captures or flushes flows, and prints them.
// demo.mjs capture|flush ENDPOINT ARN ZONE PORT; reads access key and secret from the SDK's environment variables.
import {
  DescribeFlowOperationCommand,
  ListFlowOperationResultsCommand,
  NetworkFirewallClient,
  StartFlowCaptureCommand,
  StartFlowFlushCommand,
} from "@aws-sdk/client-network-firewall";

const [what, endpoint, FirewallArn, AvailabilityZone, DestinationPort] = process.argv.slice(2);
const client = new NetworkFirewallClient({ endpoint, region: "eu-central-1" });
const where = { FirewallArn, AvailabilityZone };

const Start = what === "flush" ? StartFlowFlushCommand : StartFlowCaptureCommand;
const { FlowOperationId } = await client.send(
  new Start({ ...where, FlowFilters: [{ DestinationPort, Protocols: ["6"] }] }),
);

let operation;
do {
  operation = await client.send(new DescribeFlowOperationCommand({ ...where, FlowOperationId }));
} while (operation.FlowOperationStatus === "IN_PROGRESS");
console.log(operation.FlowOperationType, FlowOperationId, operation.FlowOperationStatus);

const { Flows } = await client.send(new ListFlowOperationResultsCommand({ ...where, FlowOperationId }));
for (const flow of Flows) {
  const [from, to] = [flow.SourceAddress.AddressDefinition, flow.DestinationAddress.AddressDefinition];
  console.log(`  ${from}:${flow.SourcePort} -> ${to}:${flow.DestinationPort}`, `${flow.PacketCount} packets`);
}

"""A receiver of OpenTelemetry over OTLP/gRPC, from the official protocol definitions: prints its port, then one JSON
object for each span."""

import json
from concurrent import futures

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


def service_of(resource):
    return next((a.value.string_value for a in resource.attributes if a.key == "service.name"), "")


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, context):
        for part in request.resource_spans:
            for scope in part.scope_spans:
                for span in scope.spans:
                    print(json.dumps({
                        "service": service_of(part.resource), "name": span.name, "kind": span.kind,
                        "trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                        "links": [link.trace_id.hex() for link in span.links], "whole": str(span),
                    }), flush=True)
        return trace_service_pb2.ExportTraceServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def Export(self, request, context):
        for part in request.resource_metrics:
            for scope in part.scope_metrics:
                for metric in scope.metrics:
                    print(json.dumps({
                        "service": service_of(part.resource), "metric": metric.name, "whole": str(metric),
                    }), flush=True)
        return metrics_service_pb2.ExportMetricsServiceResponse()


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(), server)
metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(json.dumps({"port": port}), flush=True)
server.wait_for_termination()

// SPDX-License-Identifier: Apache-2.0
// The tour of README.md: loads an image archive into a store, makes a container and looks into it.
// usage: store-tour GRAPH-ROOT RUN-ROOT ARCHIVE
import Stowage

guard CommandLine.arguments.count == 4 else {
  print("usage: store-tour GRAPH-ROOT RUN-ROOT ARCHIVE")
  throw CancellationError()
}
let (graphRoot, runRoot, archive) = (CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3])

let store = try Store.open(StoreOptions(graphRoot: graphRoot, runRoot: runRoot))
let loaded = try await store.images.load(from: .path(archive))
for image in try store.images.list() {
  print(image.record.id, image.record.names)
}
let container = try store.containers.create(ContainerCreation(names: ["tour"], image: loaded[0].id.rawValue))
try store.withMounted(container.id.rawValue) { root in
  print("the container's files are at \(root)")
}
try store.containers.delete(container.id.rawValue)

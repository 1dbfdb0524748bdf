// SPDX-License-Identifier: Apache-2.0
// Makes a container in a user namespace that the store chooses, and prints its ID maps: those of the users, then those of
// the groups, each as container:host:size,…
// usage: automatic-namespace GRAPH-ROOT RUN-ROOT DRIVER IMAGE [NAME=VALUE…]
// Names: size, initial, passwd, group, uid and gid (additional ranges), user, min, max (settings of the store).
import Stowage

struct UsageError: Error {}

func number(_ text: Substring) throws -> Int {
  guard let value = Int(text) else { throw UsageError() }
  return value
}

func range(_ text: Substring) throws -> IDMapping {
  let numbers = try text.split(separator: ":").map(number)
  guard numbers.count == 3 else { throw UsageError() }
  return IDMapping(containerID: numbers[0], hostID: numbers[1], size: numbers[2])
}

func text(_ map: [IDMapping]) -> String {
  map.map { "\($0.containerID):\($0.hostID):\($0.size)" }.joined(separator: ",")
}

guard CommandLine.arguments.count > 4 else { throw UsageError() }
let words = CommandLine.arguments
var options = StoreOptions(graphRoot: words[1], runRoot: words[2], driverName: words[3])
var namespace = AutomaticUserNamespace()
for word in words[5...] {
  let parts = word.split(separator: "=", maxSplits: 1)
  guard parts.count == 2 else { throw UsageError() }
  switch parts[0] {
  case "size": namespace.size = try number(parts[1])
  case "initial": namespace.initialSize = try number(parts[1])
  case "passwd": namespace.passwdFile = String(parts[1])
  case "group": namespace.groupFile = String(parts[1])
  case "uid": namespace.additionalUIDs.append(try range(parts[1]))
  case "gid": namespace.additionalGIDs.append(try range(parts[1]))
  case "user": options.rootAutoUserNSUser = String(parts[1])
  case "min": options.autoUserNSMinSize = UInt32(try number(parts[1]))
  case "max": options.autoUserNSMaxSize = UInt32(try number(parts[1]))
  default: throw UsageError()
  }
}
let store = try Store.open(options)
do {
  let request = ContainerCreation(image: words[4], automaticUserNamespace: namespace)
  let container = try store.containers.create(request)
  print(text(container.idMaps.uids), text(container.idMaps.gids))
} catch {
  print("error: \(error)")
}

// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `stores`: the places a store is made of, who locks them and who needs them.
enum StoresCommand {
  static let definition = CommandDefinition(
    "stores", arguments: .none, usage: "List the places this store is made of", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    let places = try context.store.places()
    if context.wantsJSON {
      context.console.printJSON(.array(places.map(\.json)))
    } else {
      context.console.write(table(places))
    }
    return .success
  }

  private static func table(_ places: [StorePlace]) -> String {
    let titles = ["ROLE", "PATH", "FILE SYSTEM", "FREE", "LAYERS", "IMAGES", "CONTAINERS"]
    var table = Table(columns: titles.map { Table.Column($0) }, rows: [])
    for place in places {
      let counts = [place.layers, place.images, place.containers].map(String.init)
      table.rows.append(
        [
          place.role.rawValue, place.path, place.exists ? place.fileSystem : "missing",
          place.exists ? bytesText(place.freeBytes) : "-",
        ] + (place.role == .runRoot ? ["-", "-", "-"] : counts))
    }
    var text = table.text(for: .none)
    for place in places {
      for loss in place.losses { text += "records: \(loss)\n" }
      for dependent in place.dependents {
        let layers = dependent.layers == 1 ? "1 layer" : "\(dependent.layers) layers"
        let absence = dependent.absence.map { ", which \($0)," } ?? ""
        text += "needed: \(layers) of graph root \(dependent.graphRoot)\(absence) in \(place.path)\n"
      }
      for lock in place.locks where !lock.holders.isEmpty {
        let holders = lock.holders.map {
          "process \($0.pid) (\($0.command), \($0.isExclusive ? "writing" : "reading"))"
        }
        text += "locked: \(lock.path) by \(holders.joined(separator: ", "))\n"
      }
    }
    return text
  }
}

extension StorePlace {
  fileprivate var json: JSONValue {
    let locks = locks.map { lock -> JSONValue in
      let holders = lock.holders.map { holder -> JSONValue in
        .object([
          .init("pid", .integer(holder.pid)), .init("command", .string(holder.command)),
          .init("exclusive", .bool(holder.isExclusive)),
        ])
      }
      return .object([.init("path", .string(lock.path)), .init("holders", .array(holders))])
    }
    let dependents = dependents.map { dependent -> JSONValue in
      .object(
        [.init("graph-root", .string(dependent.graphRoot)), .init("layers", .integer(dependent.layers))]
          + (dependent.absence.map { [.init("absence", .string($0))] } ?? []))
    }
    let losses = losses.isEmpty ? [] : [JSONValue.Member("losses", .array(losses.map { .string($0) }))]
    return .object(
      [
        .init("role", .string(role.rawValue)), .init("path", .string(path)), .init("exists", .bool(exists)),
        .init("writable", .bool(isWritable)), .init("file-system", .string(fileSystem)),
        .init("total-bytes", .integer(totalBytes)), .init("free-bytes", .integer(freeBytes)),
        .init("layers", .integer(layers)), .init("images", .integer(images)), .init("containers", .integer(containers)),
        .init("locks", .array(locks)), .init("dependents", .array(dependents)),
      ] + losses)
  }
}

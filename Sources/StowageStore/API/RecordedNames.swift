// SPDX-License-Identifier: Apache-2.0

public import StowageConfig
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// The identifiers and names that the record files of a store have now, as completion needs them: nothing is opened, locked, made or
/// repaired, and what cannot be read is missing.
public struct RecordedNames: Sendable {
  /// An object.
  public struct Object: Hashable, Sendable {
    /// Its identifier.
    public let id: String
    /// Its names.
    public let names: [String]
  }

  private let topologies: [StoreTopology]

  /// - Parameter options: roots that need not exist; the driver may be left out.
  public init(_ options: StoreOptions) {
    let roots = StoreRoots(
      graphRoot: absolute(options.graphRoot), runRoot: absolute(options.runRoot),
      imageStore: options.imageStore.isEmpty ? nil : absolute(options.imageStore))
    let additional = options.driverOptions.compactMap { option -> FilePath? in
      let parts = option.split(separator: "=", maxSplits: 1)
      let isStore = parts.count == 2 && parts[0].split(separator: ".").last?.lowercased() == "imagestore"
      return isStore ? absolute(String(parts[1])) : nil
    }
    topologies = RecordedNames.drivers(in: roots, options.driverName).map { name in
      StoreTopology(roots: roots, driverName: name, isTransient: options.transientStore, additional: additional)
    }
  }

  /// The drivers that have records: the one that is named, else all.
  private static func drivers(in roots: StoreRoots, _ wanted: String) -> [String] {
    // A root that cannot be listed has nothing to tell.
    let entries = (try? Syscall.directoryNames(roots.graphRoot)) ?? []
    let found = entries.flatMap { entry in
      let name = String(decoding: entry, as: UTF8.self)
      return ["-layers", "-images", "-containers"].compactMap { suffix in
        name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
      }
    }
    // The driver overlay2 has the records of overlay.
    return withoutRepeats(wanted.isEmpty ? found : found.filter { wanted == $0 || wanted == $0 + "2" })
  }

  /// The objects of a kind.
  public func objects(_ kind: StoredObject.Kind) -> [Object] {
    topologies.flatMap { topology in
      switch kind {
      case .layer:
        (topology.layers.documents + topology.additionalLayers.flatMap(\.documents)).flatMap { document in
          records(at: document.path, of: LayerRecord.self).map { Object(id: $0.id.rawValue, names: $0.names) }
        }
      case .image:
        topology.images.flatMap { places in
          records(at: places.place.records, of: ImageRecord.self).map { Object(id: $0.id.rawValue, names: $0.names) }
        }
      case .container:
        topology.containers.documents.flatMap { path in
          records(at: path, of: ContainerRecord.self).map { Object(id: $0.id.rawValue, names: $0.names) }
        }
      }
    }
  }

  private func records<Record: StoreRecord>(at path: FilePath, of _: Record.Type) -> [Record] {
    // What cannot be read is missing, as the type says.
    (try? RecordDocument<Record>.readable(at: path))?.records ?? []
  }
}

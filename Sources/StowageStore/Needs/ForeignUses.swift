// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// A layer of another graph root that is built on a layer of this store, or whose container names an image of it.
struct ForeignUse: Hashable, Sendable {
  /// The other graph root.
  let graphRoot: String
  /// The layer there.
  let child: LayerID
  /// The container it belongs to, by name if it has one; `nil` if that is not known.
  let container: String?
  /// The image of that container.
  let image: ImageID?
  /// Why the graph root is believed, instead of being asked; `nil` if it was asked.
  let absence: ForeignRoot.Absence?
  /// The registration that is believed then: its identifier, and since when it is there.
  let registration: String

  /// `container "web" of graph root /srv/b`; with what can be done if that cannot be asked.
  var user: String {
    let subject = container.map { "container \(goQuoted($0))" } ?? "layer \(child)"
    let root = "\(subject) of graph root \(graphRoot)"
    guard let absence else { return root }
    let remedy =
      absence == .missing
      ? "if it was moved, run \"stowage relocate-root\" with its new path; if it is gone for good, use --force"
      : "if it is gone for good, use --force"
    return "\(root), which \(absence.rawValue) (registration \(registration); \(remedy))"
  }
}

/// Which layers and images of a store other graph roots need.
///
/// While the layer locks of the store are held exclusively nobody can add or drop such a need: whoever makes or deletes a
/// layer over it holds them too. So the other graph root's records are read without its lock; each file is old or new.
struct ForeignUses: Sendable {
  private(set) var byParent: [LayerID: [ForeignUse]] = [:]
  /// The images that containers elsewhere name and that their own graph root does not record. The container's layers may be
  /// there all the same: when some images left that share them, or a move was killed after the images.
  private(set) var byImage: [ImageID: [ForeignUse]] = [:]
  /// All layers that graph roots record which can be read here. Versions before 1.57 kept the records of layers in the
  /// image store there.
  private(set) var recorded: Set<LayerID> = []

  /// The registrations that are believed, instead of being asked: what images the containers there name is not known.
  private(set) var unasked: [String] = []

  /// Nobody else needs anything, or it is not to matter.
  init() {}

  /// Who needs a layer.
  subscript(layer: LayerID) -> [ForeignUse] { byParent[layer] ?? [] }

  /// A container elsewhere that was made from an image: as its record says, or, if that is not known, because it is built
  /// on one of the image's top layers.
  ///
  /// - Parameters:
  ///   - images: the image's records.
  ///   - isShared: whether one of them is where the other graph roots look.
  func user(of images: [ImageRecord], isShared: Bool) -> ForeignUse? {
    for image in images {
      if isShared, let use = byImage[image.id]?.first { return use }
      for top in image.topLayers {
        if let use = self[top].first(where: { $0.image == nil || $0.image == image.id }) { return use }
      }
    }
    return nil
  }

  /// Reads all registrations and looks into the graph roots that can be reached (store-semantics 27.3.2).
  ///
  /// A graph root that cannot be asked is believed, whatever the reason is: see ``ForeignRoot/Absence``.
  ///
  /// - Throws: `corrupt` for a damaged registration; `system`.
  init(_ topology: StoreTopology) throws(StorageError) {
    let own = try Identity.read(topology.layers.data.identity)
    let machine = Identity.machine()
    for data in topology.layers.dataSearch {
      for registration in try DependentsDirectory(data: data).registrations(except: own) {
        let root = ForeignRoot(registration, driver: topology.driverName, machine: machine)
        guard root.state == .readable, let records = root.records() else {
          var absence = ForeignRoot.Absence.unreadable
          if case .away(let reason) = root.state { absence = reason }
          unasked.append(
            "graph root \(registration.graphRoot), which \(absence.rawValue) (registration \(registration.title))")
          for entry in registration.dependents { add(entry, registration, [], absence) }
          continue
        }
        for entry in records.dependents { add(entry, registration, records.containers) }
        for (container, image) in records.containersOfOtherImages {
          byImage[image, default: []].append(ForeignUse(container, registration))
        }
        recorded.formUnion(records.recorded)
      }
    }
  }

  private mutating func add(
    _ entry: Dependent, _ registration: Registration, _ containers: [ContainerRecord],
    _ absence: ForeignRoot.Absence? = nil
  ) {
    let use =
      containers.first { $0.layer == entry.child }.map { ForeignUse($0, registration) }
      ?? ForeignUse(
        graphRoot: registration.graphRoot, child: entry.child, container: nil, image: nil, absence: absence,
        registration: registration.title)
    byParent[entry.parent, default: []].append(use)
  }
}

extension ForeignUse {
  fileprivate init(_ container: ContainerRecord, _ registration: Registration) {
    self.init(
      graphRoot: registration.graphRoot, child: container.layer,
      container: container.names.first ?? container.id.rawValue, image: container.image, absence: nil,
      registration: registration.title)
  }
}

extension Registration {
  /// `0123… since 2026-11-29T00:00:00Z`.
  fileprivate var title: String { since.isEmpty ? id : "\(id) since \(since)" }
}

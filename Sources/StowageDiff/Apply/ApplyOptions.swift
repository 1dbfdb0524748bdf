// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// The xattr name space overlayfs keeps its marks in; it depends on how the layer will be mounted.
package enum OverlayAttributes: Hashable, Sendable {
  /// `trusted.overlay.`: mounted by root.
  case trusted
  /// `user.overlay.`: mounted inside a user namespace, with `userxattr`.
  case user

  /// The prefix with its final point.
  package var prefix: String {
    switch self {
    case .trusted: "trusted.overlay."
    case .user: "user.overlay."
    }
  }

  /// The mark of an opaque directory.
  package var opaqueName: String { prefix + "opaque" }
}

/// What a layer's whiteouts become on disk (archive-and-diff 5).
package enum WhiteoutForm: Hashable, Sendable {
  /// Character devices 0:0 and the opaque xattr, for the overlay driver.
  case overlay(OverlayAttributes)
  /// Executed: what they name is deleted, unless this same layer put it there. For full trees (vfs).
  case plain
  /// Ordinary files with the `.wh.` names, for a mount program, and for copies that are no layers.
  case literal
}

/// How an archive becomes a tree: one extractor, its policies as values (archive-and-diff 1, 4).
package struct ApplyOptions: Hashable, Sendable {
  /// What happens to an entry for the root itself (`.`, `./`).
  package enum RootEntry: Hashable, Sendable {
    /// The root keeps its owner, mode and times (overlay). An entry named `/` applies nevertheless.
    case ignore
    /// It applies like any directory (vfs).
    case apply
  }

  /// What happens when directory and non-directory meet.
  package enum Replacement: Hashable, Sendable {
    /// The old object is removed with everything below it.
    case always
    /// The reference text `cannot overwrite directory … with non-directory …`, or the reverse.
    case sameKindOnly
  }

  /// From the archive's IDs to those on the host; empty for none.
  package var idMaps: IDMaps
  /// What whiteouts become.
  package var whiteouts: WhiteoutForm
  /// Goes on when an owner cannot be set.
  package var ignoreChownErrors: Bool
  /// If set: no owners, this mode for all files and directories, and the true values in the xattr
  /// `user.containers.override_stat` (archive-and-diff 4.7).
  package var forceMask: UInt16?
  /// Devices are left out and refused xattrs are ignored (archive-and-diff 4.8).
  package var inUserNamespace: Bool
  /// See ``RootEntry``.
  package var rootEntry: RootEntry
  /// See ``Replacement``.
  package var replacement: Replacement
  /// If set, everything gets these IDs instead of those of the archive, before mapping.
  package var owner: Owner?

  /// A user and a group.
  package struct Owner: Hashable, Sendable {
    /// User ID.
    package var uid: UInt32
    /// Group ID.
    package var gid: UInt32

    /// Makes a pair.
    package init(uid: UInt32, gid: UInt32) {
      self.uid = uid
      self.gid = gid
    }
  }

  /// Makes options; the defaults are those of the overlay driver run by root.
  package init(
    idMaps: IDMaps = IDMaps(), whiteouts: WhiteoutForm = .overlay(.trusted), ignoreChownErrors: Bool = false,
    forceMask: UInt16? = nil, inUserNamespace: Bool = false, rootEntry: RootEntry = .ignore,
    replacement: Replacement = .always, owner: Owner? = nil
  ) {
    self.idMaps = idMaps
    self.whiteouts = whiteouts
    self.ignoreChownErrors = ignoreChownErrors
    self.forceMask = forceMask
    self.inUserNamespace = inUserNamespace
    self.rootEntry = rootEntry
    self.replacement = replacement
    self.owner = owner
  }
}

// SPDX-License-Identifier: Apache-2.0
private import StowageSystem
internal import SystemPackage

/// The directory that layers are applied to, beside one that they must not reach.
enum LayerTree {
  static let path = Scratch.path.appending("tree")
  private static let outside = Scratch.path.appending("outside")
  private static let secret = Array("secret".utf8)

  /// Empties the tree; what is outside of it is made once.
  static func reset() {
    if !Syscall.exists(outside) {
      Scratch.makeDirectory(outside)
      Scratch.write(secret, to: outside.appending("secret"))
    }
    if Syscall.exists(path) { Scratch.remove(path) }
    Scratch.makeDirectory(path)
  }

  /// What is outside of the tree must be as it was.
  static func checkOutside() {
    let names = Scratch.need("read", outside) { () throws(Errno) in try Syscall.directoryNames(outside) }
    precondition(names == [secret], "something was made outside of the tree")
    let file = outside.appending("secret")
    let status = Scratch.need("lstat", file) { () throws(Errno) in try Syscall.lstat(file) }
    let content = Scratch.need("read", file) { () throws(Errno) in try Syscall.readFile(file) }
    precondition(status.mode == 0o100600 && status.linkCount == 1 && content == secret, "a file outside was changed")
  }

  /// Puts directories, files and links of a model on disk.
  static func make(_ node: LayerModel.Node, at place: FilePath) {
    for (name, child) in node.children {
      let path = place.appending(String(decoding: name, as: UTF8.self))
      switch child.type {
      case UInt8(ascii: "5"):
        Scratch.makeDirectory(path)
        make(child, at: path)
      case UInt8(ascii: "2"):
        let target = String(decoding: child.link, as: UTF8.self)
        Scratch.need("symlink", path) { () throws(Errno) in try Syscall.symlink(target: target, at: path) }
        continue
      default: Scratch.write(child.content, to: path)
      }
      Scratch.need("chmod", path) { () throws(Errno) in try Syscall.chmod(path, mode: child.mode) }
    }
  }

  /// Compares what is on disk with a model.
  static func compare(_ model: LayerModel) {
    var files: [UInt64: LayerModel.Node] = [:]
    compare(model.root, at: path, &files, model.form)
  }

  private static func compare(
    _ node: LayerModel.Node, at path: FilePath, _ files: inout [UInt64: LayerModel.Node], _ form: LayerModel.Form
  ) {
    let status = Scratch.need("lstat", path) { () throws(Errno) in try Syscall.lstat(path) }
    precondition(status.kind == node.kind, "\(path) is of another kind")
    precondition(status.kind == .symbolicLink || status.permissions == node.mode, "\(path) has another mode")
    precondition(files[status.inode] == nil || files[status.inode] === node, "\(path) shares another file")
    files[status.inode] = node
    if node.time != 0, !node.isDirectory {
      precondition(status.modificationTime.seconds == node.time, "\(path) has another time")
    }
    switch status.kind {
    case .regular:
      let content = Scratch.need("read", path) { () throws(Errno) in try Syscall.readFile(path) }
      precondition(content == node.content, "\(path) has another content")
    case .symbolicLink:
      let link = Scratch.need("readlink", path) { () throws(Errno) in try Syscall.readlink(path) }
      precondition(link == node.link, "\(path) leads elsewhere")
    case .characterDevice: precondition((status.rdev == 0) == node.isWhiteout, "\(path) is another device")
    case .directory: compareDirectory(node, at: path, &files, form)
    default: break
    }
  }

  private static func compareDirectory(
    _ node: LayerModel.Node, at path: FilePath, _ files: inout [UInt64: LayerModel.Node], _ form: LayerModel.Form
  ) {
    if form == .overlay {
      let mark = "trusted.overlay.opaque".withCString { name in
        Scratch.need("lgetxattr", path) { () throws(Errno) in try Syscall.lgetxattr(path, name) }
      }
      precondition((mark != nil) == node.isOpaque, "\(path) is opaque, or is not")
    }
    let names = Scratch.need("read", path) { () throws(Errno) in try Syscall.directoryNames(path) }
    precondition(Set(names) == Set(node.children.keys), "\(path) has other names")
    for (name, child) in node.children {
      compare(child, at: path.appending(String(decoding: name, as: UTF8.self)), &files, form)
    }
  }
}

extension LayerModel.Node {
  fileprivate var kind: FileKind {
    switch type {
    case UInt8(ascii: "5"): .directory
    case UInt8(ascii: "2"): .symbolicLink
    case UInt8(ascii: "3"): .characterDevice
    case UInt8(ascii: "6"): .fifo
    default: .regular
    }
  }
}

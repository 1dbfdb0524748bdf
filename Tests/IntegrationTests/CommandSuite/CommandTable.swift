// SPDX-License-Identifier: Apache-2.0
import Testing

/// The commands of the reference, as its specification lists them (cli 12); `config` has our `--json`, for `--explain`.
struct CommandRow: Sendable, CustomTestStringConvertible {
  let names: [String]
  let minimum: Int
  /// Nil if there may be any number of arguments.
  let maximum: Int?
  let hasJSON: Bool

  var testDescription: String { names[0] }

  static let all: [CommandRow] = table.split(separator: "\n").map { line in
    let cells = line.split(separator: " ").map(String.init)
    return CommandRow(
      names: cells[0].split(separator: ",").map(String.init), minimum: Int(cells[1]) ?? 0, maximum: Int(cells[2]),
      hasJSON: cells.count > 3)
  }

  private static let table = """
    check 0 0 j
    config 0 1 j
    container 1 * j
    list-container-data,listcontainerdata 1 1 j
    get-container-data,getcontainerdata 2 2
    get-container-data-size,getcontainerdatasize 2 2
    get-container-data-digest,getcontainerdatadigest 2 2
    set-container-data,setcontainerdata 2 2
    get-container-dir,getcontainerdir 1 1
    get-container-run-dir,getcontainerrundir 1 1
    container-parent-owners 1 * j
    containers 0 0 j
    copy 2 * j
    create-storage-layer 0 1 j
    create-layer,createlayer 0 1 j
    import-layer,importlayer 0 1 j
    create-image,createimage 0 1 j
    create-container,createcontainer 1 1 j
    dedup 0 0 j
    delete 1 * j
    delete-layer,deletelayer 1 * j
    delete-image,deleteimage 1 * j
    delete-container,deletecontainer 1 * j
    changes 1 2 j
    diffsize,diff-size 1 2
    diff 1 2
    applydiff,apply-diff 1 1
    applydiff-using-staging-dir 2 2
    exists 1 * j
    gc 0 0 j
    image 1 * j
    list-image-data,listimagedata 1 1 j
    get-image-data,getimagedata 2 2
    get-image-data-size,getimagedatasize 2 2
    get-image-data-digest,getimagedatadigest 2 2
    set-image-data,setimagedata 2 2
    get-image-dir,getimagedir 1 1
    get-image-run-dir,getimagerundir 1 1
    images 0 0 j
    images-by-digest 1 1 j
    layer 1 * j
    layer-parent-owners 1 * j
    list-layer-data,listlayerdata 1 1 j
    get-layer-data,getlayerdata 2 2
    set-layer-data,setlayerdata 2 2
    layers 0 0 j
    storage-layers 0 0 j
    metadata 1 * j
    set-metadata,setmetadata 1 1
    mount 1 * j
    unmount,umount 1 * j
    mounted 1 * j
    get-names,getnames 1 1 j
    add-names,addnames 1 * j
    remove-names,removenames 1 * j
    set-names,setnames 1 * j
    shutdown 0 0 j
    status 0 0 j
    unshare 0 *
    version 0 0 j
    wipe 0 0 j
    """
}

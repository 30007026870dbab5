"""What other tools call our settings, so that a key of theirs is answered with ours.

PySlowFast, MMAction2, Lightning, timm, PyTorch, FFmpeg and YOLO were looked through. A name stands
for keys of a section, or for whole paths, the likeliest first.
"""

_RATE = ("lr", "optimizer.lr")
_CLIPS = ("batch_size", "data.batch_size")
_FRAMES = ("clip_len", "data.sampling.clip_len")
_APART = ("interval", "data.sampling.interval")
_EPOCHS = ("epochs", "trainer.epochs")
_SIZE = ("size", "data.size", "short_side")
_QUALITY = ("crf", "encoder.crf")
_WORKERS = ("workers", "data.workers")
_DEVICES = ("devices", "trainer.devices")
_ACCUMULATE = ("accumulate", "trainer.accumulate")
_CLIPPING = ("clip_gradient", "trainer.clip_gradient")
_AVERAGE = ("ema", "trainer.ema")
_SMOOTHING = ("smoothing", "loss.smoothing")
_STRIDE = ("stride_seconds",)
_LENGTH = ("clip_seconds",)
_PATIENCE = ("patience", "trainer.early_stop.patience", "trainer.early_stop")
_WARMUP = ("warmup_epochs", "schedule.warmup_epochs")
_VIEWS = ("views", "evaluation.views", "num_views")
_CROPS = ("crops", "evaluation.crops")
_FPS = ("frame_rate",)
_MODEL = ("name", "model.name")

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    # Optimizers and schedules.
    "learning_rate": _RATE,
    "base_lr": _RATE,
    "lr0": _RATE,
    "max_lr": _RATE,
    "wd": ("weight_decay", "optimizer.weight_decay"),
    "decay": ("weight_decay", "optimizer.weight_decay"),
    "optimizing_method": ("name", "optimizer.name"),
    "opt": ("optimizer.name",),
    "layer_wise_decay": ("layer_decay", "optimizer.layer_decay"),
    "layer_decay_rate": ("layer_decay", "optimizer.layer_decay"),
    "auto_scale_lr": ("scale_lr", "optimizer.scale_lr"),
    "base_batch_size": ("base_batch", "optimizer.base_batch"),
    "lr_policy": ("name", "schedule.name"),
    "lr_scheduler": ("schedule", "schedule.name"),
    "sched": ("schedule", "schedule.name"),
    "scheduler": ("schedule", "schedule.name"),
    "param_scheduler": ("schedule", "schedule.name"),
    "milestones": ("steps", "schedule.steps"),
    "warmup": _WARMUP,
    "warmup_steps": _WARMUP,
    "cosine_end_lr": ("min_share", "schedule.min_share"),
    "min_lr": ("min_share", "schedule.min_share"),
    "eta_min": ("min_share", "schedule.min_share"),
    # Trainers.
    "max_epoch": _EPOCHS,
    "max_epochs": _EPOCHS,
    "num_epochs": _EPOCHS,
    "n_epochs": _EPOCHS,
    "gpus": _DEVICES,
    "num_gpus": _DEVICES,
    "accelerator": _DEVICES,
    "device": _DEVICES,
    "num_shards": ("num_nodes", "trainer.num_nodes"),
    "nodes": ("num_nodes", "trainer.num_nodes"),
    "amp": ("precision", "trainer.precision"),
    "mixed_precision": ("precision", "trainer.precision"),
    "fp16": ("precision", "trainer.precision"),
    "gradient_clip_val": _CLIPPING,
    "clip_grad": _CLIPPING,
    "clip_grad_norm": _CLIPPING,
    "clip_grad_l2norm": _CLIPPING,
    "max_norm": _CLIPPING,
    "accumulate_grad_batches": _ACCUMULATE,
    "gradient_accumulation_steps": _ACCUMULATE,
    "accumulative_counts": _ACCUMULATE,
    "model_ema": _AVERAGE,
    "model_ema_decay": _AVERAGE,
    "ema_decay": _AVERAGE,
    "overfit_batches": ("overfit", "trainer.overfit"),
    "save_top_k": ("keep", "trainer.keep"),
    "early_stopping": ("early_stop", "trainer.early_stop"),
    "early_stopping_patience": _PATIENCE,
    "rng_seed": ("seed",),
    "random_state": ("seed",),
    "random_seed": ("seed",),
    # Data.
    "batch": _CLIPS,
    "bs": _CLIPS,
    "videos_per_gpu": _CLIPS,
    "samples_per_gpu": _CLIPS,
    "num_workers": _WORKERS,
    "workers_per_gpu": _WORKERS,
    "num_loader_workers": _WORKERS,
    "persistent_workers": _WORKERS,
    "prefetch_factor": ("prefetch", "data.prefetch"),
    "num_frames": _FRAMES,
    "n_frames": _FRAMES,
    "frames": _FRAMES,
    "frames_per_clip": _FRAMES,
    "num_segments": _FRAMES,
    "clip_length": (*_FRAMES, *_LENGTH),
    "frame_interval": _APART,
    "sampling_rate": _APART,
    "sample_rate": _APART,
    "frame_stride": _APART,
    "num_clips": _VIEWS,
    "num_ensemble_views": _VIEWS,
    "num_spatial_crops": _CROPS,
    "three_crop": _CROPS,
    "img_size": _SIZE,
    "image_size": _SIZE,
    "input_size": _SIZE,
    "imgsz": _SIZE,
    "crop_size": _SIZE,
    "train_crop_size": _SIZE,
    "test_crop_size": _SIZE,
    "train_jitter_scales": ("scale", "data.augment.scale"),
    "random_flip": ("flip", "data.augment.flip"),
    "hflip": ("flip", "data.augment.flip"),
    "horizontal_flip": ("flip", "data.augment.flip"),
    "fliplr": ("flip", "data.augment.flip"),
    "jitter": ("color_jitter", "data.augment.color_jitter"),
    "colour_jitter": ("color_jitter", "data.augment.color_jitter"),
    "auto_augment": ("rand_augment", "data.augment.rand_augment"),
    "aa": ("rand_augment", "data.augment.rand_augment"),
    "reprob": ("random_erasing", "data.augment.random_erasing"),
    "mixup_alpha": ("mixup", "data.augment.mixup"),
    "cutmix_alpha": ("cutmix", "data.augment.cutmix"),
    "ann_file": ("train", "data.train"),
    "train_list": ("train", "data.train"),
    "val_list": ("val", "data.val"),
    "path_to_data_dir": ("root", "data.root"),
    "data_prefix": ("root", "data.root"),
    "data_root": ("root", "data.root"),
    "path_prefix": ("root", "data.root"),
    "class_balanced": ("balance", "data.balance"),
    "decoding_backend": ("decoder", "data.decoder"),
    # Networks and losses.
    "arch": _MODEL,
    "backbone": _MODEL,
    "model_name": _MODEL,
    "architecture": _MODEL,
    "embed_dim": ("dim", "model.dim"),
    "num_heads": ("heads", "model.heads"),
    "num_layers": ("depth", "model.depth"),
    "drop_path_rate": ("drop_path", "model.drop_path"),
    "droppath_rate": ("drop_path", "model.drop_path"),
    "dropout_rate": ("dropout", "model.dropout"),
    "dropout_ratio": ("dropout", "model.dropout"),
    "drop_rate": ("dropout", "model.dropout"),
    "use_checkpoint": ("checkpointing", "model.checkpointing"),
    "with_cp": ("checkpointing", "model.checkpointing"),
    "grad_checkpointing": ("checkpointing", "model.checkpointing"),
    "act_checkpoint": ("checkpointing", "model.checkpointing"),
    "loss_func": ("name", "loss.name"),
    "loss_cls": ("name", "loss.name"),
    "criterion": ("loss.name",),
    "label_smoothing": _SMOOTHING,
    "label_smooth_eps": _SMOOTHING,
    "class_weight": ("pos_weight", "loss.pos_weight"),
    "class_weights": ("pos_weight", "loss.pos_weight"),
    "loss_weight": ("weight", "pos_weight", "loss.pos_weight"),
    "frozen_stages": ("blocks", "freeze.blocks"),
    "freeze_backbone": ("backbone", "freeze.backbone"),
    "norm_eval": ("batch_norm", "freeze.batch_norm"),
    # Cutting and encoding.
    "quality": _QUALITY,
    "qp": _QUALITY,
    "cq": _QUALITY,
    "bitrate": _QUALITY,
    "video_bitrate": _QUALITY,
    "vcodec": ("codec", "encoder.codec"),
    "video_codec": ("codec", "encoder.codec"),
    "gop": ("keyframe_seconds", "encoder.keyframe_seconds"),
    "gop_size": ("keyframe_seconds", "encoder.keyframe_seconds"),
    "keyint": ("keyframe_seconds", "encoder.keyframe_seconds"),
    "bframes": ("b_frames", "encoder.b_frames"),
    "fps": _FPS,
    "framerate": _FPS,
    "target_fps": _FPS,
    "resize": ("short_side", *_SIZE),
    "height": ("short_side",),
    "width": ("short_side",),
    "resolution": ("short_side", *_SIZE),
    "scale": ("short_side", "data.augment.scale"),
    "duration": _LENGTH,
    "length": _LENGTH,
    "window": _LENGTH,
    "window_size": _LENGTH,
    "clip_duration": _LENGTH,
    "stride": _STRIDE,
    "step": _STRIDE,
    "hop": _STRIDE,
    "overlap": ("min_overlap_fraction", "min_overlap_seconds"),
    "min_overlap": ("min_overlap_seconds",),
    "negatives": ("background",),
    "player": ("annotated_in",),
    "stream": ("target",),
    "classes": ("labels", "labels.order"),
    "class_names": ("labels", "labels.order"),
    # Predicting.
    "conf": ("threshold",),
    "score_thr": ("threshold",),
    "thresholds": ("threshold",),
    "min_duration": ("min_bout_seconds",),
    "min_bout": ("min_bout_seconds",),
    "merge_gap": ("merge_gap_seconds",),
    "max_gap": ("merge_gap_seconds",),
}

# Keys of other tools that no setting of ours stands for, and what does.
_CLASSES = "remove it: the number of classes comes from labels.txt beside the training list"
_WEIGHTS = "remove it: pass the file of weights with --weights"
ELSEWHERE: dict[str, str] = {
    "num_classes": _CLASSES,
    "n_classes": _CLASSES,
    "nc": _CLASSES,
    "pretrained": _WEIGHTS,
    "checkpoint_file_path": _WEIGHTS,
    "load_from": _WEIGHTS,
    "init_cfg": _WEIGHTS,
    "output_dir": "remove it: name the run folder with --out",
    "work_dir": "remove it: name the run folder with --out",
    "resume": "remove it: continue a run with --resume",
}

# Which command top-level settings belong to, where one was given those of another.
COMMAND_OF: dict[str, str] = {
    **dict.fromkeys(
        (
            *("model", "data", "loss", "freeze", "optimizer", "schedule", "trainer"),
            *("evaluation", "seed"),
        ),
        "train",
    ),
    **dict.fromkeys(
        (
            *("projects", "content", "phase_seconds", "anchor", "min_overlap_seconds"),
            *("min_overlap_fraction", "min_overlap_of", "min_overlap_rules", "background"),
            *("label_free_margin_seconds", "per_subject", "tasks", "short_side", "frame_rate"),
            *("encoder", "decoder", "on_corrupt", "name"),
        ),
        "cut",
    ),
    **dict.fromkeys(
        (
            *("batch_size", "views", "crops", "precision", "locate", "smooth", "smooth_seconds"),
            *("low", "threshold", "min_bout_seconds", "merge_gap_seconds"),
        ),
        "predict",
    ),
}
